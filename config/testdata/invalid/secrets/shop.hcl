shop "unquoted" {
  kros { api_key = eyJhbGciOiJIUzI1NiJ9.hunter2.hunter2 }
  fynode {
    url     = "https://a.example.com"
    api_key = hunter2
  }
}
shop "in-place-of-a-name" {
  kros { api_key = env("eyJhbGciOiJIUzI1NiJ9.hunter2.hunter2") }
  fynode {
    url     = "https://b.example.com"
    api_key = env(hunter2)
  }
}
shop "in-a-template" {
  kros { api_key = "Bearer ${env("ACME_KROS_TOKEN")} hunter2" }
  fynode {
    url     = "https://c.example.com"
    api_key = "  "
  }
}
shop "other-functions" {
  kros { api_key = vault("hunter2") }
  fynode {
    url     = "https://d.example.com"
    api_key = file()
  }
}
shop "null" {
  kros { api_key = null }
  fynode {
    url     = "https://e.example.com"
    api_key = 5
  }
}
shop "environment" {
  kros { api_key = env("SKLADOM_MASTER_KEY") }
  fynode {
    url     = "https://${env("skladom_host")}"
    api_key = file("/proc/self/environ")
  }
}
shop "master-key" {
  kros { api_key = file("/run/secrets/master") }
  fynode {
    url     = "https://f.example.com"
    api_key = "x"
  }
}
secrets {
  master_key = file("/run/secrets/../secrets/master")
}
