//! Fetching over TLS: whose certificate nobody trusted vouches for is not believed.

use std::path::Path;
use std::process::{Command, Stdio};

use super::processes::{line, process_of};
use super::*;

/// Serves a folder over TLS.
const SERVER: &str = "
import functools, http.server, ssl, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
print('port', server.server_port, flush=True)
server.serve_forever()
";

/// An authority `ca.pem`, and `server.pem` and `server.key` for this machine.
fn certify(folder: &Path) {
    let script = "
        new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
        openssl req -x509 $new -keyout ca.key -out ca.pem -days 2 -subj /CN=ca
        openssl req $new -keyout server.key -out server.csr -subj /CN=server
        echo subjectAltName=IP:127.0.0.1 > names
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem
    ";
    run(Command::new("sh").args(["-ec", script]).current_dir(folder));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_servers_that_are_vouched_for_are_believed() {
    let folder = tempfile::tempdir().unwrap();
    let root = repository(folder.path(), &["a"]);
    certify(folder.path());
    let mut python = Command::new("python3")
        .args(["-c", SERVER])
        .args([&root, &folder.path().join("server.pem"), &folder.path().join("server.key")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let address = format!("https://127.0.0.1:{}", line(&mut python, "port ").await);
    let cache = folder.path().join("cache");
    let fetch = |authority: &str| {
        let mut process = process_of(&address, &cache);
        process.env("SSL_CERT_FILE", folder.path().join(authority));
        let output = process.stderr(Stdio::piped()).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    // Any certificate will do that has nothing to do with this one.
    fs::create_dir(folder.path().join("other")).unwrap();
    certify(&folder.path().join("other"));
    let (_, refused) = fetch("other/ca.pem");
    assert!(refused.contains("TLS with 127.0.0.1: invalid peer certificate"), "{refused}");
    let (printed, told) = fetch("ca.pem");
    python.kill().unwrap();
    python.wait().unwrap();
    let fetched = printed.lines().find_map(|line| line.strip_prefix("fetched "));
    assert_eq!(read(Path::new(fetched.expect(&told))), "a [tools] 1 1");
}
