"""Requests as bytes on the wire, bent in ways that no browser bends them.

`{host}` is where the server is; `{pdf}` a guide that is there to be downloaded. `/smuggled` is a
second request, hidden in the first.
"""

from dataclasses import dataclass

SECOND = b"GET /smuggled HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Wire:
    """One connection: what is sent, and whether a second request may be read out of it."""

    raw: bytes
    hides: bool = False


def get(target: bytes = b"/", *headers: bytes, version: bytes = b"HTTP/1.1") -> Wire:
    """A GET, with more header lines."""
    return request(b"GET", target, *headers, version=version)


def request(
    method: bytes,
    target: bytes = b"/",
    *headers: bytes,
    body: bytes = b"",
    version: bytes = b"HTTP/1.1",
    hides: bool = False,
) -> Wire:
    """A request that is well-formed but for what is given."""
    lines = [b"Host: {host}", b"Connection: close", *headers]
    head = method + b" " + target + b" " + version + b"\r\n" + b"\r\n".join(lines)
    return Wire(head + b"\r\n\r\n" + body, hides)


def hidden(*headers: bytes, body: bytes) -> Wire:
    """A form whose end two servers would find in different places."""
    head = b"POST /signup HTTP/1.1\r\nHost: {host}\r\n" + FORM + b"\r\n".join(headers)
    return Wire(head + b"\r\n\r\n" + body, hides=True)


CHUNKED = b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"

SMUGGLED = [
    hidden(b"Content-Length: 6", b"Content-Length: 5", body=b"0\r\n\r\nG" + SECOND),
    hidden(b"Content-Length: 5, 6", body=END + SECOND),
    hidden(b"Content-Length: 5", b"Content-length: 5, 5", body=END + SECOND),
    hidden(b"Content-Length: +5", body=END + SECOND),
    hidden(b"Content-Length: -5", body=END + SECOND),
    hidden(b"Content-Length: 0x5", body=END + SECOND),
    hidden(b"Content-Length: 5.0", body=END + SECOND),
    hidden(b"Content-Length: 1e1", body=END + SECOND),
    hidden(b"Content-Length: 5_0", body=END + SECOND),
    hidden(b"Content-Length: \xd9\xa5", body=END + SECOND),
    hidden(b"Content-Length: five", body=END + SECOND),
    hidden(b"Content-Length:", body=END + SECOND),
    hidden(b"Content-Length : 5", body=END + SECOND),
    hidden(b" Content-Length: 5", body=END + SECOND),
    hidden(b"Content-Length: 5\r\n 0", body=END + SECOND),
    hidden(b"Transfer-Encoding: xchunked", body=END + SECOND),
    hidden(b"Transfer-Encoding: chunked, identity", body=END + SECOND),
    hidden(b"Transfer-Encoding: identity, chunked", body=END + SECOND),
    hidden(b"Transfer-Encoding: gzip, chunked", body=END + SECOND),
    hidden(b"Transfer-Encoding : chunked", body=END + SECOND),
    hidden(b"Transfer-Encoding:\x0bchunked", body=END + SECOND),
    hidden(b"Transfer-Encoding: \x00chunked", body=END + SECOND),
    hidden(b"Transfer-Encoding: chunked\x00", body=END + SECOND),
    hidden(b'Transfer-Encoding: "chunked"', body=END + SECOND),
    hidden(b"Transfer-Encoding: cow", b"Content-Length: 5", body=END + SECOND),
    hidden(b"Transfer-Encoding\x00: chunked", body=END + SECOND),
    hidden(b"Foo: bar\nTransfer-Encoding: chunked", body=END + SECOND),
    hidden(b"Foo: bar\rTransfer-Encoding: chunked", body=END + SECOND),
    hidden(CHUNKED, body=b"ffffffffffffffff1\r\n" + SECOND),
    hidden(CHUNKED, body=b"-1\r\n" + SECOND),
    hidden(CHUNKED, body=b"0x5\r\nhello\r\n" + END + SECOND),
    hidden(CHUNKED, body=b"5_0\r\nhello\r\n" + END + SECOND),
    hidden(CHUNKED, body=b"5\r\nhelloGARBAGE\r\n" + END + SECOND),
    hidden(CHUNKED, body=b"5\nhello\n0\n\n" + SECOND),
    hidden(CHUNKED, body=b"zz\r\nhello\r\n" + END + SECOND),
    hidden(CHUNKED, body=b"\r\n" + SECOND),
    hidden(CHUNKED, body=b"5;ext=\x00\r\nhello\r\n" + END + SECOND),
]

REQUEST_LINES = [
    Wire(b""),
    Wire(b"\r\n\r\n\r\n"),
    Wire(b"\x00\x01\x02\x03\r\n\r\n"),
    Wire(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    Wire(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Wire(b"GET /\r\n\r\n"),
    Wire(b"GET\r\n\r\n"),
    Wire(b"GET / HTTP/1.1\r\n\r\n"),
    Wire(b"GET  /  HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
    Wire(b"GET\t/\tHTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
    Wire(b"GET / HTTP/1.1\nHost: {host}\nConnection: close\n\n"),
    get(version=b"HTTP/9.9"),
    get(version=b"HTTP/1.1 HTTP/1.1"),
    get(version=b"http/1.1"),
    get(version=b"HTTP/1.1\x00"),
    get(b"http://{host}/"),
    get(b"http://evil.example/"),
    get(b"//evil.example/"),
    get(b"*"),
    get(b"evil.example:80"),
    get(b"/%"),
    get(b"/%zz"),
    get(b"/%00"),
    get(b"/%ff%fe"),
    get(b"/\xff\xfe"),
    get(b"/" + b"a" * 20_000),
    get(b"/" + b"a/" * 9_000),
    get(b"/?" + b"a=b&" * 7_000),
    get(b"/?a[" + b"[" * 5_000),
    get(b"/static/..%2f..%2f..%2fsettings.py"),
    get(b"/static/%2e%2e/%2e%2e/app.py"),
    get(b"/static/%252e%252e%252fapp.py"),
    get(b"/static/..\\..\\app.py"),
    get(b"/static//etc/passwd"),
    get(b"/static/%2fetc%2fpasswd"),
    get(b"/static/desk.css%00.png"),
    get(b"/static/fonts/../../app.py"),
    get(b"/..%2f..%2f..%2fetc%2fpasswd"),
    get(b"/guide/%2e%2e%2f%2e%2e%2fvar%2ffunnel.db"),
    get(b"/desk/..%2fdesk%2fpeople"),
    get(b"/desk%2fpeople"),
    get(b"/DESK/PEOPLE"),
    get(b"/desk;/people"),
    get(b"/./desk/people"),
    get(b"/desk/people%20"),
    get(b"/desk/people%2e"),
    get(b"/%64%65%73%6b/people"),
]

METHODS = [
    *[
        request(m)
        for m in (b"TRACE", b"TRACK", b"CONNECT", b"PUT", b"DELETE", b"PATCH", b"PROPFIND")
    ],
    *[request(m) for m in (b"get", b"GeT", b"FOO", b"G\x00T", b"\xff", b"<script>", b"A" * 5_000)],
    *[
        request(b"GET", b"/desk/mail/stop", name + b": POST")
        for name in (b"X-HTTP-Method-Override", b"X-HTTP-Method", b"X-Method-Override")
    ],
    request(b"GET", b"/desk/mail/stop?_method=POST"),
    request(b"POST", b"/desk/mail/stop?_method=GET", b"Content-Length: 0"),
    request(b"GET", b"/desk/people", b"X-Original-URL: /privacy", b"X-Rewrite-URL: /privacy"),
]

HEADERS = [
    get(b"/", b"Host: evil.example"),
    *[
        Wire(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
        for host in (
            b"", b"evil.example", b"localhost.evil.example", b"[", b"[::1", b"[::1]:x", b"a b",
            b"\x00", b"\xff", b"localhost:99999999", b"localhost:-1", b"@localhost", b"x" * 9_000,
            b"localhost, evil.example", b"localhost/evil.example", b"localhost#@evil.example",
        )
    ],
    get(b"/", b"X-Forwarded-Host: evil.example"),
    get(b"/", b"X-Forwarded-For: 127.0.0.1", b"X-Real-IP: 127.0.0.1", b"Forwarded: for=127.0.0.1"),
    get(b"/", b"X-Forwarded-Proto: https", b"X-Forwarded-Port: 1", b"X-Forwarded-Prefix: //evil"),
    get(b"/", *[b"X-%d: y" % number for number in range(10_000)]),
    get(b"/", b"X: " + b"y" * 100_000),
    get(b"/", b"No colon here"),
    get(b"/", b": no name"),
    get(b"/", b"Na me: x"),
    get(b"/", b"Name\x00: x"),
    get(b"/", b"X: a\x00b"),
    get(b"/", b"X: a\rb"),
    get(b"/", b"X: folded\r\n  on"),
    get(b"/", b"Cookie: desk=" + b"a" * 8_000),
    get(b"/", b"Cookie: " + b"a=b; " * 1_500),
    get(b"/", b"Cookie: desk=\xff\x00; =; ;;"),
    get(b"/", b"Cookie: desk=\"\\012\\015\""),
    get(b"/", b"Accept: " + b"*/*," * 5_000),
    get(b"/", b"Accept-Language: " + b"en;q=0.1," * 2_000),
    get(b"/", b"User-Agent: \xff\xfe\x00"),
    get(b"/", b"Referer: javascript:alert(1)"),
    get(b"/", b"Referer: http://[half"),
    get(b"/", b"If-Modified-Since: yesterday", b"If-None-Match: W/\"", b"If-Match: *,,,"),
    get(b"/", b"Authorization: Basic !!!!"),
    get(b"/", b"Upgrade: websocket", b"Sec-WebSocket-Key: x"),
    get(b"/", b"Connection: upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABk"),
    get(b"/", b"Sec-Purpose: prefetch;prerender", b"Origin: null"),
]  # fmt: skip

RANGES = [
    get(target, b"Range: " + value)
    for target in (b"{pdf}", b"/static/desk.css")
    for value in (
        b"bytes=0-",
        b"bytes=-0",
        b"bytes=-1",
        b"bytes=5-2",
        b"bytes=999999999-",
        b"bytes=0-0,1-1",
        b"bytes=" + b",".join([b"0-"] * 1_300),
        b"bytes=" + b",".join(b"%d-" % number for number in range(1_300)),
        b"bytes=0-18446744073709551616",
        b"bytes=-18446744073709551616",
        b"bytes=a-b",
        b"lines=0-1",
        b"bytes",
        b"=",
    )
]

BODIES = [
    request(b"POST", b"/signup", FORM.strip(), b"Content-Length: 100000000", body=b"a" * MEGABYTE),
    request(b"POST", b"/signup", FORM.strip(), b"Content-Length: 99999999999999999999"),
    request(b"POST", b"/signup", FORM.strip(), CHUNKED, body=b"f4240\r\n" + b"a" * MEGABYTE),
    request(b"POST", b"/signup", FORM.strip(), b"Transfer-Encoding: chunked, chunked", body=END),
    request(b"POST", b"/hooks/sendgrid", CHUNKED, body=b"5\r\nhello\r\n" + END),
    request(b"POST", b"/signup", FORM.strip(), b"Content-Length: 20000", body=b"a" * 20_000),
    request(b"POST", b"/signup", FORM.strip(), b"Content-Length: 5", body=b"a=b&cccccc"),
    request(b"POST", b"/signup", b"Content-Type: \x00", b"Content-Length: 3", body=b"a=b"),
    request(b"POST", b"/signup", b'Content-Type: a/b; c="', b"Content-Length: 3", body=b"a=b"),
    request(
        b"POST",
        b"/signup",
        FORM.strip(),
        b"Content-Encoding: gzip",
        b"Content-Length: 4",
        body=b"\x1f\x8b\x08\x00",
    ),
    request(
        b"POST", b"/signup", FORM.strip(), b"Expect: 200-ok", b"Content-Length: 3", body=b"a=b"
    ),
    request(
        b"POST",
        b"/signup",
        FORM.strip(),
        b"Expect: 100-continue",
        b"Content-Length: 3",
        body=b"a=b",
    ),
    request(b"GET", b"/", b"Content-Length: 3", body=b"a=b"),
    request(b"HEAD", b"/", b"Content-Length: 3", body=b"a=b"),
    request(b"OPTIONS", b"/signup", b"Content-Length: 3", body=b"a=b"),
]

ALL = [*SMUGGLED, *REQUEST_LINES, *METHODS, *HEADERS, *RANGES, *BODIES]
