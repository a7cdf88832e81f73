relay {
  listen = ":9"
}
