shop "noitem" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://noitem.example.com"
    api_key = "key"
  }
  items = "noitem.csv"
}
