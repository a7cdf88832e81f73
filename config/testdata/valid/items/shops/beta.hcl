shop "beta" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://beta.example.com"
    api_key = "key"
  }
  items = "../beta.CSV"
}
