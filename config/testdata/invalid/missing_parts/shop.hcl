shop "no-blocks" {
}
shop "empty-blocks" {
  kros {}
  fynode {}
}
shop {
}
shop "two" "labels" {
}
shop "Acme" {
}
shop "twice" {
  kros { api_key = "x" }
  kros { api_key = "x" }
  fynode {
    url     = "https://a.example.com"
    api_key = "x"
  }
}
