shop "acme" {
  kros { api_key = "x" }
  fynode {
    url     = "https://acme.example.com"
    api_key = "x"
  }
}
relay {}
