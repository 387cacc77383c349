"""How the page and its files are served: which paths, by which headers, to whom. What it does is in tests/web."""

import gzip
import re
import subprocess

import pytest

from support import paths
from support.nginx import Nginx

VIEWS = ["/", "/traces", "/traces/t-1", "/races", "/races/0123abcd", "/variables", "/variables/balance", "/services",
         "/services/bank", "/compare", "/storage", "/send"]
FILES = {"app.js": "text/javascript; charset=utf-8", "app.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
POLICY = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
          "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
          "trusted-types 'none'"}


@pytest.fixture(scope="module")
def pages(cluster):
    from support.store import Store
    with Store("memory", cluster, "page-files") as store:
        yield store.client


def links(html):
    return re.findall(r'(?:src|href)="([^"]*)"', html)


def is_guarded(answer):
    headers = answer.headers
    assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    return True


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_the_page(pages, view):
    answer = pages.get(view)
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache" and is_guarded(answer)
    assert answer.body == pages.get("/").body and b"<script>" not in answer.body and b"{{" not in answer.body
    again = pages.get(view, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    assert is_guarded(again)
    assert pages.get(view, headers={"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize("path", ["/index.html", "/traces/t/more", "/storage/more", "/anything", "/assets", "/assets/",
                                  "/assets/0000000000000000/app.js", "/assets/app.js", "/app.js", "/favicon.ico"])
def test_other_paths_are_not_found_and_not_the_page(pages, path):
    pages.get(path).refused(404)


def test_its_files_are_kept_for_ever_and_sent_compressed(pages):
    found = links(pages.get("/").body.decode())
    assert sorted(link.rpartition("/")[2] for link in found) == sorted(FILES)
    for link in found:
        assert re.fullmatch(r"/assets/[0-9a-f]{16}/[a-z.]+", link)
        packed = pages.get(link, headers={"Accept-Encoding": "br, gzip;q=0.5"})
        assert packed.status == 200 and is_guarded(packed)
        assert packed.headers["Content-Type"] == FILES[link.rpartition("/")[2]]
        assert packed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in packed.headers.get_all("Vary")
        for accepted in [None, "identity", "br", "gzip;q=0", "gzip;q=0.0, br"]:
            plain = pages.get(link, headers={"Accept-Encoding": accepted} if accepted else None)
            assert plain.headers["Content-Encoding"] is None and plain.body == gzip.decompress(packed.body), accepted
        for named in [packed.headers["ETag"], f'"a", {packed.headers["ETag"].removeprefix("W/")}', "*"]:
            same = pages.get(link, headers={"If-None-Match": named})
            assert (same.status, same.body) == (304, b""), named
        wrong = re.sub("[0-9a-f]{16}", "0" * 16, link)
        pages.get(wrong).refused(404)
        head = pages.request("HEAD", link)
        assert head.status == 200 and head.body == b""


def test_the_licences_of_what_it_contains_are_beside_it(pages):
    [script] = [link for link in links(pages.get("/").body.decode()) if link.endswith(".js")]
    answer = pages.get(script.replace("app.js", "licences.txt"))
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert b"React" in answer.body and b"Permission is hereby granted" in answer.body


def test_it_is_small(pages):
    bytes_sent = [len(pages.get(link, headers={"Accept-Encoding": "gzip"}).body) for link in links(pages.get("/").body.decode())]
    assert sum(bytes_sent) <= 110 * 1024, bytes_sent


def test_it_needs_no_key_and_what_it_asks_for_does(open_store):
    store = open_store("memory", {"server": {"auth_enabled": True, "api_keys": ["secret"]}})
    html = store.client.get("/traces").body.decode()
    for link in links(html):
        assert store.client.get(link).status == 200
    store.client.get("/api/traces", page=1).refused(401)
    store.client.get("/api/traces", headers={"Authorization": "Bearer secret"}, page=1).ok()


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"},
                                     {"Sec-Fetch-Site": "cross-site"}], ids=str)
def test_it_is_guarded_as_all_else(pages, headers):
    for path in ["/", "/traces", *links(pages.get("/").body.decode())]:
        pages.get(path, headers=headers).refused(403)


def test_behind_the_prefix_of_a_proxy_it_names_its_files_by_it(open_store):
    store = open_store("memory", {"server": {"base_path": "/tools/raceway"}})
    answer = store.client.get("/traces")
    html = answer.body.decode()
    assert all(link.startswith("/tools/raceway/assets/") for link in links(html))
    assert '<meta name="raceway-base" content="/tools/raceway">' in html
    assert answer.headers["ETag"] != open_store("memory").client.get("/traces").headers["ETag"]


def test_through_nginx(open_store):
    store = open_store("memory")
    with Nginx([store.server.port] * 4) as nginx, nginx.client() as client:
        for link in ["/", *links(client.get("/").body.decode())]:
            assert client.get(link, headers={"Accept-Encoding": "gzip"}).status == 200


def bundle(directory, *options):
    subprocess.run([paths.ROOT / "server/web/bundle", directory, *options], check=True, cwd=paths.ROOT)
    return {file.name: file.read_bytes().replace(str(directory).encode(), b"OUT") for file in directory.iterdir()}


def test_equal_sources_give_equal_bytes(tmp_path):
    assert bundle(tmp_path / "one") == bundle(tmp_path / "two")



def test_without_esbuild_the_build_stops_and_says_what_to_do(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ["bash", "dirname", "mkdir", "rm", "env"]:
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    done = subprocess.run([paths.ROOT / "server/web/bundle", tmp_path / "out"], env={"PATH": str(tools)},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "apt-get install esbuild" in done.stderr and "WEB=0" in done.stderr
