shop "empty" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://empty.example.com"
    api_key = "key"
  }
  items = "empty.csv"
}
