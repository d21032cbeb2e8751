// A second opinion by Go's crypto/x509: the root is signed by itself, the CRL, if there is one, by the root.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func block(path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	b, _ := pem.Decode(text)
	return b.Bytes
}

func main() {
	root, err := x509.ParseCertificate(block(os.Args[1]))
	if err != nil {
		panic(err)
	}
	if err := root.CheckSignatureFrom(root); err != nil {
		panic(err)
	}
	if len(os.Args) == 2 {
		fmt.Println("go: root verifies,", root.Subject)
		return
	}
	list, err := x509.ParseRevocationList(block(os.Args[2]))
	if err != nil {
		panic(err)
	}
	if err := list.CheckSignatureFrom(root); err != nil {
		panic(err)
	}
	fmt.Println("go: root and CRL verify,", root.Subject, "CRL", list.Number)
}
