shop "latin" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://latin.example.com"
    api_key = "key"
  }
  items = "latin.csv"
}
