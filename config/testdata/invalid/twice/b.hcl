shop "acme" {
  kros { api_key = "x" }
  fynode {
    url     = "https://acme.example.com/second"
    api_key = "x"
  }
}
shop "same-address" {
  kros { api_key = "x" }
  fynode {
    url     = "https://ACME.example.com:443/"
    api_key = "x"
  }
}
