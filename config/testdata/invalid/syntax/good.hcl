shop "good" {
  kros { api_key = "x" }
  fynode {
    url     = "https://good.example.com"
    api_key = "x"
  }
}
