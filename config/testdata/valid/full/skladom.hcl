temporal {
  task_queue = "stock"
}
relay {
  listen          = "127.0.0.1:9000"
  public_url      = "https://sync.example.com/"
  trusted_proxies = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]
}
snapshots {
  url           = "s3://stock?region=eu-central-1"
  keep          = 10
  keep_receipts = "30d12h"
}
secrets {
  master_key = env("SKLADOM_MASTER_KEY")
}
