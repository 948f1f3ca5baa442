// SPDX-License-Identifier: Apache-2.0
// The order of questions is that of OpenSSL's server: version and fallback, TLS 1.3 suite or
// TLS 1.2 cipher (with key type, curve and group), then certificate and signature algorithm.
#include "hello/verdict.h"

#include <algorithm>
#include <optional>

namespace tlsguard::hello {
namespace {

constexpr std::uint16_t fallback_scsv = 0x5600;  // RFC 7507

// What stands in the way of a cipher. Ordered: the lesser number is the lesser obstacle.
enum Obstacle : unsigned { nothing = 0, group = 1, signature = 2, impossible = 4 };

// RFC 8446 4.2.3. hash_bits 0: the algorithm brings its own. curve: fixed in TLS 1.3 only.
struct Scheme {
  KeyType key;
  int hash_bits;
  std::uint16_t curve = 0;
  bool pkcs1 = false;
  bool tls1_3_only = false;
};

constexpr std::optional<Scheme> scheme_of(std::uint16_t id) {
  switch (id) {
    case 0x0201:
      return Scheme{KeyType::rsa, 160, 0, true};
    case 0x0301:
      return Scheme{KeyType::rsa, 224, 0, true};
    case 0x0401:
      return Scheme{KeyType::rsa, 256, 0, true};
    case 0x0501:
      return Scheme{KeyType::rsa, 384, 0, true};
    case 0x0601:
      return Scheme{KeyType::rsa, 512, 0, true};
    case 0x0203:
      return Scheme{KeyType::ecdsa, 160};
    case 0x0303:
      return Scheme{KeyType::ecdsa, 224};
    case 0x0403:
      return Scheme{KeyType::ecdsa, 256, 23};
    case 0x0503:
      return Scheme{KeyType::ecdsa, 384, 24};
    case 0x0603:
      return Scheme{KeyType::ecdsa, 512, 25};
    case 0x0804:
      return Scheme{KeyType::rsa, 256};
    case 0x0805:
      return Scheme{KeyType::rsa, 384};
    case 0x0806:
      return Scheme{KeyType::rsa, 512};
    case 0x0807:
      return Scheme{KeyType::ed25519, 0};
    case 0x0808:
      return Scheme{KeyType::ed448, 0};
    case 0x0809:
      return Scheme{KeyType::rsa_pss, 256};
    case 0x080a:
      return Scheme{KeyType::rsa_pss, 384};
    case 0x080b:
      return Scheme{KeyType::rsa_pss, 512};
    case 0x081a:  // RFC 8734: the brainpool curves
      return Scheme{KeyType::ecdsa, 256, 26, false, true};
    case 0x081b:
      return Scheme{KeyType::ecdsa, 384, 27, false, true};
    case 0x081c:
      return Scheme{KeyType::ecdsa, 512, 28, false, true};
    case 0x0904:
      return Scheme{KeyType::mldsa44, 0, 0, false, true};
    case 0x0905:
      return Scheme{KeyType::mldsa65, 0, 0, false, true};
    case 0x0906:
      return Scheme{KeyType::mldsa87, 0, 0, false, true};
    default:
      return std::nullopt;
  }
}

// OpenSSL compares how a certificate is signed by hash and algorithm alone: rsa_pss_pss_* and
// rsa_pss_rsae_* are one to it.
std::uint16_t as_certificate_signature(std::uint16_t id) {
  return id >= 0x0809 && id <= 0x080b ? static_cast<std::uint16_t>(id - 5) : id;
}

// The versions a group is defined for: RFC 8446 4.2.7 dropped the old curves, RFC 8422 and its
// followers never had finite field or post-quantum groups (OpenSSL has those of RFC 7919 for
// TLS 1.3 alone).
bool group_fits(std::uint16_t id, Protocol version) {
  if (version == Protocol::tls1_3) return id >= 23 && (id <= 25 || id >= 29);
  return id < 256 && (id < 31 || id > 33);
}

// The strength a security level asks for: SSL_CTX_set_security_level(3).
int level_bits(int level) {
  constexpr std::array<int, 6> bits{0, 80, 112, 128, 192, 256};
  return bits[static_cast<std::size_t>(std::clamp(level, 0, 5))];
}

class Judge {
 public:
  Judge(const ClientHello& hello, const ServerSettings& settings, Protocol version)
      : hello_(hello), settings_(settings), version_(version) {}

  Verdict tls1_3() const {
    if (std::none_of(settings_.suites.begin(), settings_.suites.end(),
                     [&](const Cipher& c) { return hello_.cipher_suites.contains(c.id); })) {
      return Verdict::cipher;
    }
    if (!key_share_or_retry()) return Verdict::group;
    const CertificateKey* key = sign_tls1_3();
    return key != nullptr && presentable(*key) ? Verdict::ok : Verdict::signature;
  }

  Verdict up_to_tls1_2() const {
    if (settings_.require_extended_master_secret && !hello_.has_extended_master_secret) {
      return Verdict::protocol;
    }
    auto [cipher, obstacle] = choose_cipher();
    if (obstacle == impossible) return Verdict::cipher;
    if ((obstacle & group) != 0) return Verdict::group;
    if (obstacle != nothing || no_shared_signature()) return Verdict::signature;
    if (cipher->authentication != Authentication::none) {
      const CertificateKey* key = sign(*cipher);
      if (key == nullptr || !presentable(*key)) return Verdict::signature;
    }
    if (cipher->key_exchange == KeyExchange::dhe && settings_.dh_security_bits != 0 &&
        settings_.dh_security_bits < std::max(80, level_bits(settings_.security_level))) {
      return Verdict::cipher;
    }
    return Verdict::ok;
  }

 private:
  const CertificateKey* find_key(KeyType type) const {
    for (const CertificateKey& key : settings_.keys) {
      if (key.type == type) return &key;
    }
    return nullptr;
  }

  // The certificate message passes the security level as a whole.
  bool presentable(const CertificateKey& key) const {
    return key.chain_security_bits >= level_bits(settings_.security_level);
  }

  bool server_has_signature(std::uint16_t id) const {
    return std::find(settings_.signature_algorithms.begin(), settings_.signature_algorithms.end(),
                     id) != settings_.signature_algorithms.end();
  }

  // Calls use(id, scheme) for each signature algorithm both sides have, until it returns true.
  template <typename Use>
  bool any_shared_signature(Use use) const {
    if (!hello_.signature_algorithms) return false;
    const CodePoints& client = *hello_.signature_algorithms;
    auto usable = [&](std::uint16_t id) {
      auto scheme = scheme_of(id);
      return scheme && (!scheme->tls1_3_only || version_ == Protocol::tls1_3) && use(*scheme);
    };
    if (settings_.server_preference) {
      for (std::uint16_t id : settings_.signature_algorithms) {
        if (client.contains(id) && usable(id)) return true;
      }
    } else {
      for (std::size_t i = 0; i < client.size(); ++i) {
        if (server_has_signature(client.at(i)) && usable(client.at(i))) return true;
      }
    }
    return false;
  }

  bool shares_signature_for(KeyType type) const {
    return any_shared_signature([&](const Scheme& scheme) { return scheme.key == type; });
  }

  // The client speaks of signatures, and none of it is ours: refused before any cipher is chosen.
  bool no_shared_signature() const {
    if (version_ < Protocol::tls1_2) return false;
    if (!hello_.signature_algorithms && !hello_.signature_algorithms_cert) return false;
    if (!hello_.signature_algorithms) return true;
    const CodePoints& client = *hello_.signature_algorithms;
    return std::none_of(settings_.signature_algorithms.begin(),
                        settings_.signature_algorithms.end(),
                        [&](std::uint16_t id) { return client.contains(id); });
  }

  // RFC 8446 4.2.3: signature_algorithms_cert is about the certificate's own signature.
  bool certificate_signature_fits(const CertificateKey& key) const {
    if (!hello_.signature_algorithms_cert) return true;
    if (key.issuer_signature == 0) return false;
    std::uint16_t wanted = as_certificate_signature(key.issuer_signature);
    const CodePoints& client = *hello_.signature_algorithms_cert;
    for (std::size_t i = 0; i < client.size(); ++i) {
      if (as_certificate_signature(client.at(i)) == wanted) return true;
    }
    return false;
  }

  // The key can make such a signature, and its certificate may be shown.
  bool key_fits(const CertificateKey& key, const Scheme& scheme) const {
    if (key.pss_hash_bits != 0 && key.pss_hash_bits != scheme.hash_bits) return false;
    bool rsa = key.type == KeyType::rsa || key.type == KeyType::rsa_pss;
    // RFC 8017 9.1.1: room for salt, hash and two bytes.
    if (rsa && !scheme.pkcs1 && (key.bits + 7) / 8 < 2 * scheme.hash_bits / 8 + 2) return false;
    return certificate_signature_fits(key);
  }

  const CertificateKey* sign_tls1_3() const {
    const CertificateKey* chosen = nullptr;
    any_shared_signature([&](const Scheme& scheme) {
      if (scheme.pkcs1 || scheme.hash_bits == 160 || scheme.hash_bits == 224) return false;
      const CertificateKey* key = find_key(scheme.key);
      if (key == nullptr || !key_fits(*key, scheme)) return false;
      if (scheme.key == KeyType::ecdsa && key->curve != scheme.curve) return false;
      chosen = key;
      return true;
    });
    return chosen;
  }

  // TLS 1.2 and below: the certificate that goes with the cipher chosen, if the client takes it.
  const CertificateKey* sign(const Cipher& cipher) const {
    bool ecdsa = cipher.authentication == Authentication::ecdsa;
    const CertificateKey* common = find_key(ecdsa ? KeyType::ecdsa : KeyType::rsa);
    if (version_ < Protocol::tls1_2) {
      // SHA-1, or MD5 and SHA-1: too weak for any security level but 0.
      return settings_.security_level == 0 ? common : nullptr;
    }
    if (!hello_.signature_algorithms) {
      // RFC 5246 7.4.1.4.1: SHA-1 is taken for granted.
      if (common == nullptr || !server_has_signature(ecdsa ? 0x0203 : 0x0201)) return nullptr;
      return key_fits(*common, Scheme{common->type, 160, 0, true}) ? common : nullptr;
    }
    const CertificateKey* chosen = nullptr;
    any_shared_signature([&](const Scheme& scheme) {
      if (!authenticates(scheme.key, cipher)) return false;
      const CertificateKey* key = find_key(scheme.key);
      if (key == nullptr || !key_fits(*key, scheme)) return false;
      if (key->type == KeyType::ecdsa && !(curve_usable(*key) && curve_fits(*key))) return false;
      chosen = key;
      return true;
    });
    return chosen;
  }

  static bool authenticates(KeyType type, const Cipher& cipher) {
    if (cipher.authentication == Authentication::rsa) {
      return type == KeyType::rsa ||
             (type == KeyType::rsa_pss && cipher.key_exchange != KeyExchange::rsa);
    }
    return type == KeyType::ecdsa || type == KeyType::ed25519 || type == KeyType::ed448;
  }

  // RFC 8422 5.1: the curve of an ECDSA certificate must be among the client's, if it names any.
  bool curve_fits(const CertificateKey& key) const {
    return !hello_.supported_groups || hello_.supported_groups->contains(key.curve);
  }

  // A curve of its own in TLS, and strong enough: with half as many bits of security as of length.
  bool curve_usable(const CertificateKey& key) const {
    return key.curve != 0 && key.bits / 2 >= level_bits(settings_.security_level);
  }

  unsigned ecdsa_obstacle() const {
    unsigned least = impossible;
    if (const CertificateKey* key = find_key(KeyType::ecdsa);
        key != nullptr && key->may_sign && curve_usable(*key)) {
      unsigned obstacle = curve_fits(*key) ? nothing : group;
      bool signs = version_ < Protocol::tls1_2 ||
                   (hello_.signature_algorithms || hello_.signature_algorithms_cert
                        ? shares_signature_for(KeyType::ecdsa)
                        : server_has_signature(0x0203));
      if (!signs) obstacle |= signature;
      least = obstacle;
    }
    if (version_ == Protocol::tls1_2) {
      for (KeyType type : {KeyType::ed25519, KeyType::ed448}) {
        if (find_key(type) == nullptr) continue;
        least = std::min<unsigned>(least, shares_signature_for(type) ? nothing : signature);
      }
    }
    return least;
  }

  unsigned rsa_obstacle() const {
    if (find_key(KeyType::rsa) != nullptr) return nothing;
    if (version_ != Protocol::tls1_2 || find_key(KeyType::rsa_pss) == nullptr) return impossible;
    return shares_signature_for(KeyType::rsa_pss) ? nothing : signature;
  }

  bool has_shared_group() const {
    if (!hello_.supported_groups) return false;
    return std::any_of(settings_.groups.begin(), settings_.groups.end(), [&](std::uint16_t id) {
      return group_fits(id, version_) && hello_.supported_groups->contains(id);
    });
  }

  struct Means {
    unsigned rsa_encryption;
    unsigned rsa;
    unsigned ecdsa;
    unsigned ecdhe;
    unsigned dhe;
  };

  unsigned obstacle_of(const Cipher& cipher, const Means& means) const {
    if (version_ < cipher.min || version_ > cipher.max) return impossible;
    unsigned obstacle = impossible;
    switch (cipher.authentication) {
      case Authentication::rsa:
        obstacle = cipher.key_exchange == KeyExchange::rsa ? means.rsa_encryption : means.rsa;
        break;
      case Authentication::ecdsa:
        obstacle = means.ecdsa;
        break;
      case Authentication::none:
        obstacle = nothing;
        break;
      case Authentication::any:
      case Authentication::other:
        return impossible;
    }
    switch (cipher.key_exchange) {
      case KeyExchange::ecdhe:
        return obstacle | means.ecdhe;
      case KeyExchange::dhe:
        return obstacle | means.dhe;
      case KeyExchange::rsa:
        return obstacle;
      case KeyExchange::any:
      case KeyExchange::other:
        return impossible;
    }
    return impossible;
  }

  struct Choice {
    const Cipher* cipher;
    unsigned obstacle;
  };

  // The first common cipher that nothing stands in the way of, or the least obstacle of all.
  Choice choose_cipher() const {
    const Means means{find_key(KeyType::rsa) != nullptr ? nothing : impossible, rsa_obstacle(),
                      ecdsa_obstacle(), has_shared_group() ? nothing : group,
                      settings_.allow_dhe ? nothing : impossible};
    Choice best{nullptr, impossible};
    auto consider = [&](const Cipher& cipher) {
      unsigned obstacle = obstacle_of(cipher, means);
      if ((obstacle & impossible) == 0 && obstacle < best.obstacle) best = {&cipher, obstacle};
      return best.obstacle == nothing;
    };
    if (settings_.server_preference) {
      for (const Cipher& cipher : settings_.ciphers) {
        if (hello_.cipher_suites.contains(cipher.id) && consider(cipher)) return best;
      }
      return best;
    }
    for (std::size_t i = 0; i < hello_.cipher_suites.size(); ++i) {
      std::uint16_t id = hello_.cipher_suites.at(i);
      auto common = std::find_if(settings_.ciphers.begin(), settings_.ciphers.end(),
                                 [&](const Cipher& cipher) { return cipher.id == id; });
      if (common != settings_.ciphers.end() && consider(*common)) return best;
    }
    return best;
  }

  // RFC 8446 4.1.4, 4.2.8: a share we can use, or a group to ask for one with.
  bool key_share_or_retry() const {
    if (!hello_.has_key_share || !hello_.supported_groups) return false;
    Reader reader(hello_.key_shares);
    while (!reader.empty()) {
      std::uint16_t id = 0;
      Bytes key;
      if (!reader.u16(id) || !reader.vector16(key)) return false;
      if (!hello_.supported_groups->contains(id)) return false;
      if (group_fits(id, version_) && has_group(id)) return true;
    }
    return has_shared_group();
  }

  bool has_group(std::uint16_t id) const {
    return std::find(settings_.groups.begin(), settings_.groups.end(), id) !=
           settings_.groups.end();
  }

  const ClientHello& hello_;
  const ServerSettings& settings_;
  Protocol version_;
};

// The highest version both sides have (RFC 8446 4.2.1, D.2).
std::optional<Protocol> negotiate(const ClientHello& hello, ProtocolSet server) {
  std::optional<Protocol> best;
  // Anything but 3.x in a version 2 hello is SSLv2 itself or nothing known.
  if (hello.version2_format && hello.legacy_version >> 8 != 3) return best;
  if (hello.supported_versions) {
    // RFC 8446 D.5: an SSLv3 hello is refused whatever it lists.
    if (hello.legacy_version <= 0x0300) return best;
    for (Protocol p : all_protocols) {
      if (server.has(p) && hello.supported_versions->contains(static_cast<std::uint16_t>(p))) {
        best = p;
      }
    }
    return best;
  }
  // Without the extension TLS 1.2 is the most there can be.
  for (Protocol p : all_protocols) {
    if (p < Protocol::tls1_3 && server.has(p) &&
        static_cast<std::uint16_t>(p) <= hello.legacy_version) {
      best = p;
    }
  }
  return best;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::protocol:
      return "protocol";
    case Verdict::cipher:
      return "cipher";
    case Verdict::group:
      return "group";
    case Verdict::signature:
      return "signature";
    case Verdict::sni:
      return "sni";
  }
  return "";
}

Verdict judge(const ClientHello& hello, const ServerSettings& settings) {
  auto version = negotiate(hello, settings.protocols);
  if (!version || hello.malformed_for.has(*version)) return Verdict::protocol;
  if (*version != settings.protocols.highest() && hello.cipher_suites.contains(fallback_scsv)) {
    return Verdict::protocol;
  }
  Judge judge(hello, settings, *version);
  return *version == Protocol::tls1_3 ? judge.tls1_3() : judge.up_to_tls1_2();
}

}  // namespace tlsguard::hello
