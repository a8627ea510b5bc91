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
  }
}
template {
  contents = "x"
  destination = "/tmp/twin-out"
}
template_config {
  static_secret_render_interval = "10"
}
