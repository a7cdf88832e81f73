shop "missing" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://missing.example.com"
    api_key = "key"
  }
  items = "missing.csv"
}
