// SPDX-License-Identifier: Apache-2.0
#include <openssl/x509v3.h>

#include <vector>

#include "acme/client.h"
#include "crypto/base64url.h"

namespace tlsguard::acme {
namespace {

std::span<const std::uint8_t> bytes_of(const ASN1_STRING* string) {
  return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// The content octets of the INTEGER in DER: with the zero that keeps a number positive.
std::vector<std::uint8_t> serial_octets(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  int size = i2d_ASN1_INTEGER(serial, nullptr);
  if (size < 3) return {};
  std::vector<std::uint8_t> der(static_cast<std::size_t>(size));
  unsigned char* at = der.data();
  i2d_ASN1_INTEGER(serial, &at);
  // Tag and one octet of length: a serial number has 20 octets at most (RFC 5280 4.1.2.2).
  if (der[1] >= 0x80) return {};
  der.erase(der.begin(), der.begin() + 2);
  return der;
}

}  // namespace

Result<std::string> renewal_id(const X509* certificate) {
  if (certificate == nullptr) return fail("there is no certificate");
  // OpenSSL keeps what it finds out about extensions inside the object, under its own lock.
  const ASN1_OCTET_STRING* authority = X509_get0_authority_key_id(const_cast<X509*>(certificate));
  if (authority == nullptr || ASN1_STRING_length(authority) == 0) {
    return fail(
        "the certificate has no authority key identifier, so the CA cannot be asked when "
        "to renew it");
  }
  std::vector<std::uint8_t> serial = serial_octets(certificate);
  if (serial.empty()) return fail("the certificate's serial number is none");
  return crypto::base64url(bytes_of(authority)) + "." + crypto::base64url(serial);
}

}  // namespace tlsguard::acme
