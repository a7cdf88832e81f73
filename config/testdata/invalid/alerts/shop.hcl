shop "acme" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://acme.example.com"
    api_key = "key"
  }
  alert {
    url           = "http://alerts.example.com/hunter2"
    email         = ["Stock <stock@example.com>"]
    quiet_after   = "soon"
    missed_passes = 0
    sms           = ["+421"]
  }
  alert {
  }
}
shop "nobody" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://nobody.example.com"
    api_key = "key"
  }
  alert {
    quiet_after = "72h"
  }
}
shop "variable" {
  kros {
    api_key = env("ACME_KROS_TOKEN")
  }
  fynode {
    url     = "https://variable.example.com"
    api_key = "key"
  }
  alert {
    url = env("NO_URL")
  }
}
