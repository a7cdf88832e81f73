shop "good" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://good.example.com"
    api_key = "key"
  }
  items = "good.csv"
}
