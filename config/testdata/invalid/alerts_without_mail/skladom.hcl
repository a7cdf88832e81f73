alert {
  url   = "https://alerts.example.com"
  email = ["stock@example.com"]
}
