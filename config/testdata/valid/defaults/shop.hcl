shop "a" {
  kros { api_key = "literal" }
  fynode {
    url     = "https://a.example.com"
    api_key = file("keys/a")
  }
}
