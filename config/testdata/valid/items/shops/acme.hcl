shop "acme" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://acme.example.com"
    api_key = "key"
  }
  items = "acme-items.csv"
}
