//! A time-stamping authority of our own, made by `openssl` in a folder.

use std::fs;
use std::path::Path;
use std::process::Command;

const CONFIG: &str = "[tsa]\ndefault_tsa=ours\n[ours]\nserial=serial\nsigner_cert=tsa.pem\n\
    signer_key=tsa.key\ncerts=authority.pem\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\n\
    digests=sha256\n";

const STAMP: &str = "
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out authority.pem -subj /CN=Root -days 30
    openssl req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=Stamps
    echo 'extendedKeyUsage=critical,timeStamping' > extension
    openssl x509 -req -in tsa.csr -CA authority.pem -CAkey ca.key -CAcreateserial -out tsa.pem -days 30 -extfile extension
    echo 01 > serial
    openssl ts -query -data sealed -sha256 -cert -out query.tsq
    openssl ts -reply -config tsa.cnf -queryfile query.tsq -out reply.tsr";

/// What it answers to the file `sealed` in a folder, where its certificate is left as `authority.pem`.
pub fn reply(folder: &Path) -> Vec<u8> {
    fs::write(folder.join("tsa.cnf"), CONFIG).unwrap();
    let mut made = Command::new("sh");
    let made = made
        .args(["-ec", STAMP])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    fs::read(folder.join("reply.tsr")).unwrap()
}
