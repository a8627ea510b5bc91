# Vault Agent's configuration; where the server is, the environment says.
auto_auth {
  method "kubernetes" {
    config = { role = "demo" }
  }
}

template_config {
  static_secret_render_interval = "2s"
}

template {
  destination = "/secrets/app.env"
  contents    = <<EOT
{{ with secret "secret/data/app" -}}
user={{ .Data.data.user }}
password={{ .Data.data.password }}
{{ end }}
EOT
}
