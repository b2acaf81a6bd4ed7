// Serves a folder of volumes on loopback, as a bucket would: server -root DIR. Prints "PORT n". A request for
// NAME gets the file NAME, or NAME.gz, NAME.br or NAME.zst with that content encoding. /__latency?ms=20 sets a wait
// before every reply, /__reset sets the counters to zero, /__stats returns them.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

var requests, sent, latencyMs atomic.Int64

type counting struct{ http.ResponseWriter }

func (c counting) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	sent.Add(int64(n))
	return n, err
}

func (c counting) ReadFrom(r io.Reader) (int64, error) {
	from, can := c.ResponseWriter.(io.ReaderFrom)
	if !can { // HTTP/2
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	n, err := from.ReadFrom(r)
	sent.Add(n)
	return n, err
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return float64(used.Utime.Sec+used.Stime.Sec) + float64(used.Utime.Usec+used.Stime.Usec)/1e6
}

func serve(root string, w http.ResponseWriter, r *http.Request) {
	name := filepath.Join(root, filepath.FromSlash(path.Clean("/"+r.URL.Path)))
	w.Header().Set("Content-Type", "application/octet-stream")
	for _, encoding := range []struct{ suffix, name string }{{"", ""}, {".gz", "gzip"}, {".br", "br"}, {".zst", "zstd"}} {
		file, err := os.Open(name + encoding.suffix)
		if err != nil {
			continue
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil || info.IsDir() {
			continue
		}
		if encoding.name != "" {
			w.Header().Set("Content-Encoding", encoding.name)
			if r.Header.Get("Range") == "" { // ServeContent omits the length of encoded content
				w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
			}
		}
		http.ServeContent(counting{w}, r, "", info.ModTime(), file)
		return
	}
	http.NotFound(w, r)
}

func main() {
	root := flag.String("root", ".", "folder")
	certificate := flag.String("tls", "", "serve TLS, too, and write the certificate to this file")
	flag.Parse()
	http.HandleFunc("/__latency", func(w http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.Atoi(r.URL.Query().Get("ms"))
		latencyMs.Store(int64(ms))
	})
	http.HandleFunc("/__line", func(w http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.Atoi(r.URL.Query().Get("ms"))
		lineMs.Store(int64(ms))
	})
	http.HandleFunc("/__reset", func(w http.ResponseWriter, r *http.Request) { requests.Store(0); sent.Store(0); connections.Store(0) })
	http.HandleFunc("/__stats", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"requests": requests.Load(), "bytes": sent.Load(), "connections": connections.Load(), "cpu_s": cpuSeconds()})
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if ms := latencyMs.Load(); ms > 0 {
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
		serve(*root, w, r)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("PORT %d\n", listener.Addr().(*net.TCPAddr).Port)
	if *certificate != "" {
		fmt.Printf("TLS %d\n", serveSecure(*certificate, http.DefaultServeMux))
	}
	go func() { io.Copy(io.Discard, os.Stdin); os.Exit(0) }() // stop when the parent process ends
	http.Serve(listener, nil)
}
