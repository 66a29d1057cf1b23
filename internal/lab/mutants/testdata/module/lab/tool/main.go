// Tool is a lab and is not drawn from.
package main

func main() { println(7) }
