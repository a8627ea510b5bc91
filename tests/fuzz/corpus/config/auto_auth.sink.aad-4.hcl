vault {
  address = "http://127.0.0.1:1"
}
auto_auth {
  method "approle" {
    mount_path = "auth/approle"
    config = { role_id_file_path = "/nowhere/r" }
  }
  sink "file" {
    config = { path = "/tmp/twin-sink" }
    dh_type = "curve25519"
    dh_path = "/x"
    aad = ["a"]
  }
}
template {
  contents = "x"
  destination = "/tmp/twin-out"
}
