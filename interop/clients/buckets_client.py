"""Reads and writes buckets with the vendors' own clients: boto3 for S3, google-cloud-storage for Google."""
import base64
import json

import boto3
import botocore.exceptions
import google.auth.credentials
from google.cloud import storage

import wire


class Client:
    def __init__(self):
        self._s3 = self._gs = None

    def s3_open(self, endpoint, access, secret, region):
        self._s3 = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=access, aws_secret_access_key=secret, region_name=region)

    def s3_bucket(self, bucket, public):
        self._s3.create_bucket(Bucket=bucket)
        if public:
            statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
            self._s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    def s3_put(self, bucket, key, data, encoding):
        self._s3.put_object(Bucket=bucket, Key=key, Body=base64.b64decode(data), **({"ContentEncoding": encoding} if encoding else {}))

    def s3_get(self, bucket, key, range):
        try:
            reply = self._s3.get_object(Bucket=bucket, Key=key, **({"Range": range} if range else {}))
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return {"bytes": base64.b64encode(reply["Body"].read()).decode(), "encoding": reply.get("ContentEncoding", "")}

    def s3_type(self, bucket, key):
        return self._s3.head_object(Bucket=bucket, Key=key)["ContentType"]

    def s3_keys(self, bucket, prefix):
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def s3_unfinished(self, bucket):
        return len(self._s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []))

    def gs_open(self, endpoint):
        self._gs = storage.Client(project="p", credentials=google.auth.credentials.AnonymousCredentials(), client_options={"api_endpoint": endpoint})

    def gs_bucket(self, bucket):
        self._gs.create_bucket(bucket)

    def gs_put(self, bucket, key, data, encoding):
        blob = self._gs.bucket(bucket).blob(key)
        blob.content_encoding = encoding or None
        blob.upload_from_string(base64.b64decode(data), "application/octet-stream")

    def gs_get(self, bucket, key, start, end):
        blob = self._gs.bucket(bucket).get_blob(key)
        if blob is None:
            return "NoSuchKey"
        data = blob.download_as_bytes(raw_download=True, checksum=None, **({} if start is None else {"start": int(start), "end": int(end) - 1}))
        return {"bytes": base64.b64encode(data).decode(), "encoding": blob.content_encoding or ""}

    def gs_keys(self, bucket, prefix):
        return [blob.name for blob in self._gs.list_blobs(bucket, prefix=prefix)]

    def gs_type(self, bucket, key):
        return self._gs.bucket(bucket).get_blob(key).content_type


wire.serve(Client())
