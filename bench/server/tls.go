// The same files over TLS, by HTTP/2 or HTTP/1.1 as the client prefers, at the end of a long line. The line gives
// connections what real ones have: a round trip for the TCP handshake, one for each reply, and a slow start of
// ten segments that doubles per round trip. It loses nothing, and it has no most bytes per second.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// The round trip of the line, in milliseconds.
var lineMs, connections atomic.Int64

const firstWindow, mostWindow = 14600, 4 << 20

type piece struct {
	bytes []byte
	at    time.Time
}

// line delays what the server writes by a whole round trip: what it reads is not delayed.
type line struct {
	net.Conn
	delay time.Duration
	ready time.Time
	out   chan piece
	ended atomic.Bool
	done  chan struct{}
}

func (l *line) Write(b []byte) (int, error) {
	at := time.Now().Add(l.delay)
	if at.Before(l.ready) {
		at = l.ready
	}
	select {
	case l.out <- piece{append([]byte(nil), b...), at}:
		return len(b), nil
	case <-l.done:
		return 0, net.ErrClosed
	}
}

func (l *line) Close() error {
	if !l.ended.Swap(true) {
		close(l.done)
	}
	return l.Conn.Close()
}

// send writes pieces when their time has come, at most a window per round trip.
func (l *line) send() {
	window, sent := firstWindow, 0
	var roundEnds time.Time
	for {
		var p piece
		select {
		case p = <-l.out:
		case <-l.done:
			return
		}
		time.Sleep(time.Until(p.at))
		for len(p.bytes) > 0 {
			now := time.Now()
			if now.After(roundEnds) {
				window = min(window+sent, mostWindow)
				sent, roundEnds = 0, now.Add(l.delay)
			}
			if sent >= window {
				time.Sleep(time.Until(roundEnds))
				continue
			}
			n := min(len(p.bytes), window-sent)
			if _, err := l.Conn.Write(p.bytes[:n]); err != nil {
				l.Close()
				return
			}
			sent += n
			p.bytes = p.bytes[n:]
		}
	}
}

type distant struct{ net.Listener }

func (d distant) Accept() (net.Conn, error) {
	accepted, err := d.Listener.Accept()
	ms := lineMs.Load()
	connections.Add(1)
	if err != nil || ms == 0 {
		return accepted, err
	}
	delay := time.Duration(ms) * time.Millisecond
	l := &line{Conn: accepted, delay: delay, ready: time.Now().Add(2 * delay), out: make(chan piece, 1024), done: make(chan struct{})}
	go l.send()
	return l, nil
}

// selfSigned makes a certificate for 127.0.0.1 and writes it to a file, so that clients can trust it.
func selfSigned(file string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(48 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serveSecure serves TLS, and returns its port.
func serveSecure(certificateFile string, handler http.Handler) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: handler, TLSConfig: &tls.Config{Certificates: []tls.Certificate{selfSigned(certificateFile)}}}
	go server.ServeTLS(distant{listener}, "", "")
	return listener.Addr().(*net.TCPAddr).Port
}
