alert {
  url         = env("ALERT_URL")
  email       = ["stock@example.com"]
  quiet_after = "3d"
}
mail {
  host     = "smtp.example.com"
  username = "skladom"
  password = file("/run/secrets/acme_fynode")
  from     = "Skladom <skladom@example.com>"
}
