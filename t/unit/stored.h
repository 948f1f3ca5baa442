// SPDX-License-Identifier: Apache-2.0
// A certificate store in a directory of the test's own, and versions to put into it.
#ifndef TLSGUARD_T_UNIT_STORED_H
#define TLSGUARD_T_UNIT_STORED_H

#include "suites.h"

#include <string>
#include <vector>

#include "crypto/sealing.h"
#include "expect.h"
#include "issued.h"
#include "store/certificate_store.h"
#include "temp_dir.h"

namespace tlsguard::test {

inline store::Version make_version(const Issuer& issuer, const std::vector<std::string>& names,
                                   const std::vector<crypto::KeyType>& types = {
                                       crypto::KeyType::p256}) {
  store::Version version;
  version.meta = {names, "letsencrypt", "shortlived", test_now};
  for (crypto::KeyType type : types) {
    auto key = value_of(crypto::generate_key(type));
    version.pairs.push_back(
        {type, chain_pem_for(names, key.get(), issuer), value_of(crypto::key_to_der(key.get()))});
  }
  return version;
}

struct StoreFixture {
  TempDir temp;
  crypto::SealingKey sealing = value_of(crypto::SealingKey::generate());
  Issuer issuer = make_issuer("Test CA", nullptr);

  store::CertificateStore open() const {
    return {value_of(store::Directory::open(temp.path())), sealing};
  }
  store::Version version(const std::vector<std::string>& names = {"example.org"}) const {
    return make_version(issuer, names);
  }
  // The path of a file of example.org.
  std::string operator/(const std::string& file) const { return temp / ("example.org/" + file); }
};

}  // namespace tlsguard::test

#endif
