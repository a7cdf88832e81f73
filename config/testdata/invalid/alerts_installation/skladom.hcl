alert {
  url   = "alerts.example.com/hunter2"
  email = "stock@example.com"
}
mail {
  host     = "smtp.example.com:587"
  port     = 70000
  password = env("ACME_KROS_TOKEN")
  from     = "Skladom"
}
mail {
}
