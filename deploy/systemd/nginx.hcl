# nginx on a machine: certificate, key and authority come from one request, new ones switch together, then nginx reads them, once.
# Copy it to /etc/ampule/agent.hcl. In nginx:
#
#     ssl_certificate     /run/ampule/tls/cert.pem;
#     ssl_certificate_key /run/ampule/tls/key.pem;
#
# and in a drop-in of nginx.service, so that it starts when they are there: [Unit] After=ampule-agent.service
vault {
  address = "https://vault.example.com:8200"
}

auto_auth {
  method "approle" {
    config = {
      role_id_file_path                   = "/etc/ampule/role-id"
      secret_id_file_path                 = "/etc/ampule/secret-id"
      remove_secret_id_file_after_reading = false
    }
  }
}

ampule {
  # The files of the templates below, since they lie in this folder: cert.pem -> ..data/cert.pem, and one rename of ..data
  # switches them all. A reader that wants them to match opens ..data once and reads below it, or is told by the command.
  atomic_group "tls" {
    folder          = "/run/ampule/tls"
    command         = ["systemctl", "reload", "nginx"]
    command_timeout = "20s"
  }
}

# The same path and arguments are the same secret, however many templates read it.
template {
  destination = "/run/ampule/tls/cert.pem"
  contents    = <<EOT
{{ with secret "pki/issue/web" "common_name=www.example.com" "ttl=24h" }}{{ .Data.certificate }}
{{ .Data.issuing_ca }}
{{ end }}
EOT
}

template {
  destination = "/run/ampule/tls/key.pem"
  perms       = "0600"
  contents    = <<EOT
{{ with secret "pki/issue/web" "common_name=www.example.com" "ttl=24h" }}{{ .Data.private_key }}
{{ end }}
EOT
}

template {
  destination = "/run/ampule/tls/ca.pem"
  contents    = <<EOT
{{ with secret "pki/issue/web" "common_name=www.example.com" "ttl=24h" }}{{ .Data.issuing_ca }}
{{ end }}
EOT
}
