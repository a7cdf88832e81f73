shop "acme" {
  kros { api_key = env("ACME_NOT_SET") }
  fynode {
    url     = "https://acme.example.com"
    api_key = file("/run/secrets/absent")
  }
}
shop "blank" {
  kros { api_key = env("BLANK") }
  fynode {
    url     = "https://blank.example.com"
    api_key = file("/run/secrets/blank")
  }
}
shop "bearer" {
  kros { api_key = "Bearer " }
  fynode {
    url     = "https://bearer.example.com"
    api_key = "x"
  }
}
