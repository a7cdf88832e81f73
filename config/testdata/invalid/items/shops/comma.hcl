shop "comma" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://comma.example.com"
    api_key = "key"
  }
  items = "comma.csv"
}
