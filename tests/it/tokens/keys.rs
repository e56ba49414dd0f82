//! Keys made for these tests with Python's `cryptography`. They guard nothing.

/// PKCS#8 DER of the RSA key that the policies trust, base64.
pub(super) const RSA_PRIVATE: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC0yEon4OJraECUjLbBwZfmfcNYmVi779whG1d1Q6yXqnqB\
    OI16uvtF0cxdzZGA1IOVwvE6wD8Uxh64iWV/Ugc3qJOQ/WqWS5/1gHKlRWSca2krsFJqpW0yH//Ihqu91DGrB+6aX7OTOTRV\
    XkzVXin7Hfo6ou36EAsXTAxbTGlCA5WjWp7w3wD4J/cX06vPMOlf/fE4hEsf1+9TPwcJvcJ5JLKHk/93YfIjZtRhFfubhiEn\
    09U05h5LbMytkl6JStU/dI2iMU5BYIOVgt/3MSg+GxWpLdho4Cyd1sz9pV2e7FnDArzzNX6CmV1RyPBQW41yBuxDcmXCFLQq\
    E+/+XYo9AgMBAAECggEADOkc5U+EfAKG/NThHGHp/4ujDsnCHNyFY6vjNBGwMBNRtQwdNn2crPYjBTPwHJDmEM+fkKriwRC2\
    aEa6WTxkyDnMHW0BAVjHRK4hVzeRzDCeOIDax0OnJ7mXTR0pA2E1vC7QgHUt4D6+mQt8qzmSqpy6c8OSVpXHZP4zsmAjnZOA\
    gHGOqxMmDt8GEJe/rg/mmBLxoe6fiVn4w8r2OltSyZgF6JA6AWRqedgV9pMXHl6KftFGaxWSw4d3TeNnrf9cgjLdZXqc9eeR\
    YKCWgHEwcH970xu72bKoI5NtVJeGe+2jyapsSgvYnY1tfAE+ksiuJHoodRovxN6hYoiih2511QKBgQDlRkBB56C/FQA5YZxq\
    XyFTuk0QGE1WMVILwaRkrI9OSAAzBWcdHja8Tu9Tp2HJjofX05v2QsFeYQNKhp2DyBXPVoLNKZTY4x7r6h6WXusGhCmkQ9hQ\
    fQ5W7LPR1upIXnltRDCeZFCtLpibQdsH+/uJ6vyUwpPAQJv1enBN73fuawKBgQDJ2v5xkU2Cs78p+mDiISf2NPxb6LhAwubX\
    kQkaTAf5zYy9wg3SV8vqyivZaGKDZX5NjrhXVRvqUYWFuXy+0astY4Sd+ZqzzcXMPac/a2cjgxFsS3yRj4lQw/6O2auw1vyF\
    OqN7ynOPDNJWKG4fPmjS8q+RERtZU/p43ZVj4eHD9wKBgHad28y8+0sgoFcPiw71XJamwgvbptc6+QmgC18Sb6m+UmwTFX/Z\
    C9RsuiD7bfoLRXiBwCSt8MDVTBCYiJGPSMlWJqHiK2HyTyMaouyE+u8KHUkg2J77tBmAqJ+douQCDKxdJRItMBgJDWb1sU32\
    LfLyoe6MpEhIpOdhiwynIdM1AoGAKbgKSJyYYYAW7W0jIvlpUfiHg9NoaXIe1cTTFc1LBLUX9owp4SRmL+OTBn8NhUyvuwXZ\
    Uat0doxcxVOd1a5t65aa7S+OasUHsXu4mmHvUiafrjs3xrnczoWDkjCozIbScBK7gTVJhvJGcqougGScs6SW5qubdG3n4Z0i\
    aB9iUucCgYEA1InM565gGMA1ic8nNzqKnxgmw/sFVVkU16IP8x0s1b0x6paXW9TM+ru7lWHuJWY7ga6ZFDvh3JmaNA7kFxkS\
    HyqsZK0hwVK7kIwkL17rJXYXtrvw2hDrKRBq00E3lFCGC9kHLdETWa84TL2J2USMc5ywQ08OPzb4upBytdXFTmc=";
/// Its modulus, base64url.
pub(super) const RSA_N: &str = "tMhKJ-Dia2hAlIy2wcGX5n3DWJlYu-_cIRtXdUOsl6p6gTiNerr7RdHMXc2RgNSDlcLxOsA_FMYeuIllf1IHN6iTkP1qlkuf\
    9YBypUVknGtpK7BSaqVtMh__yIarvdQxqwfuml-zkzk0VV5M1V4p-x36OqLt-hALF0wMW0xpQgOVo1qe8N8A-Cf3F9OrzzDp\
    X_3xOIRLH9fvUz8HCb3CeSSyh5P_d2HyI2bUYRX7m4YhJ9PVNOYeS2zMrZJeiUrVP3SNojFOQWCDlYLf9zEoPhsVqS3YaOAs\
    ndbM_aVdnuxZwwK88zV-gpldUcjwUFuNcgbsQ3JlwhS0KhPv_l2KPQ";
/// Its SubjectPublicKeyInfo in DER, base64.
pub(super) const RSA_SPKI: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtMhKJ+Dia2hAlIy2wcGX5n3DWJlYu+/cIRtXdUOsl6p6gTiNerr7\
    RdHMXc2RgNSDlcLxOsA/FMYeuIllf1IHN6iTkP1qlkuf9YBypUVknGtpK7BSaqVtMh//yIarvdQxqwfuml+zkzk0VV5M1V4p\
    +x36OqLt+hALF0wMW0xpQgOVo1qe8N8A+Cf3F9OrzzDpX/3xOIRLH9fvUz8HCb3CeSSyh5P/d2HyI2bUYRX7m4YhJ9PVNOYe\
    S2zMrZJeiUrVP3SNojFOQWCDlYLf9zEoPhsVqS3YaOAsndbM/aVdnuxZwwK88zV+gpldUcjwUFuNcgbsQ3JlwhS0KhPv/l2K\
    PQIDAQAB";
/// PKCS#8 DER of an RSA key that no policy trusts, base64.
pub(super) const RSA_THEIRS_PRIVATE: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDL26Pl2bolhi9F12nazq/Baf4VZabhEMWEi1d0ojyzkWx6\
    gE2TMYa0OoG09f4WC+oHOBg1SRdQ3Xw2chtRldov25QHI/MgO8y7O3yS3v157u9xnZ6X5v1jkXm25VDy300Boy8v9unFFwyv\
    i3CH4n8Kk46oAj2DpXsRpS4Ig1UjKXPqSS1fxD4eD/06AKGneekU/p2EUi1327XetX3+iBtYQ0wfCFtQ5qlesbA2GijUYpyN\
    nb6l1qvuJkvrzqs8xGWcCtHV5CAjvn2JVkt3K+jwkyI48K9x0BG3Ymd0TRM1oP5VTPOccLl2O0GqNmuKZJcxrPiUZYTvbMYJ\
    HEVuyigRAgMBAAECggEAAQT1yRZjyx0q0mxFfwYEfIv+2XnqnRKS6N+583ckd/zzgqCoJD+/Sc2zvhBsSZocH+nXe3KhR9Rs\
    swu/gAxgfn4YSG/oXtyhShbxGSp3HWQ843SkOtczCwut6z45L5BSUIs+dxlsRLULXJUbmvu+jE9HTq1XFzsYiwKuwM7ragEm\
    tlYHcXhVcdLwUbxSnYYjMAc/TJi1hl/hxODwz7iQtsreE2u3sIcRzPRKXec0ePnVoMJIWB9OlYWpEaMk3mhdN63St1CzyLPR\
    Ga7to+aidZneboJwNVVp80qQ7L2t9HNMSlIscy7cMc9CZDJEUj+QBoOLaLDePKWqz8XGNRy3wQKBgQDq9gYtA86xvaH5Wm3U\
    9Oh36HWsEWkvg6TGW2EulIIEGzIqjUK/EBn6VL/2RxzgBiSw6sUD74q8dG3RNhqQd+JWB+iAJQBHH+bv14wZ+b2SEvngJvEL\
    +fuYoC4JX0Xa0ZD7P75FtaVNcLrUCEELFTy4n22C8h5hM4j2xj9Fn/hpwQKBgQDeHKU2AcVvqZv7jeh5VFjHS7ItZiGouyeF\
    r2Y+8R3SI0X7kJX15X4u43B8AFV87L28nVxBvmP9l4vSpG311nuIJfJ+5BJgfHbVGnRQdc4QYEHKPtyASdSzSLLRKbJW4c89\
    lsWb0mrs8sefIBAFQO/rPqMUi6bNPwknEC0dRMkyUQKBgQCRge7tLbBxbmjCzXe7LDhTGcjV2Kp1XGdM2AZlHF8wP89ffr/Z\
    JxWPa7C9yehd7DAIyDteZphagRgJOiJVWYj3kkowIbn8UgtoeOowo/L8ZXgNktAwhI2FRZ18/F18V9AbaKxi600Fmkx5RutQ\
    +8Pw6fqd32dk9s9ZVAiXC6yBgQKBgHt3FOc2iNePQqPMuGNpXYg7LapK0X8Huep4G6/1PAxpiydRsepkTYYm64oibWLp/nZw\
    Sq5I9TAsI49N08oKFdUSsv+SLBzyUuQWtn1bXtZ/i1KvKsctQ0z9pljagsYE87xaqTH6/3EDa6+qlP02oab0xJZRIsGIvr+2\
    ID3a1LRhAoGAdYJGyYWu/Xg8dupbXrOiOq0VsUV0PnfP91jo5kR0rf9lph5GDtXjln0sq7n2+lmLdp6m79ApYTl4efxg1VsR\
    pW9rfZOSdaxlnChUuCP0EuonFrg7pVhxm/A9zqBd/IyglVc/mWCTlNJyppXkk8rwG6cBJ+BM3+Xk2XRfMY/SgZo=";
/// Its modulus, base64url.
pub(super) const RSA_THEIRS_N: &str = "y9uj5dm6JYYvRddp2s6vwWn-FWWm4RDFhItXdKI8s5FseoBNkzGGtDqBtPX-FgvqBzgYNUkXUN18NnIbUZXaL9uUByPzIDvM\
    uzt8kt79ee7vcZ2el-b9Y5F5tuVQ8t9NAaMvL_bpxRcMr4twh-J_CpOOqAI9g6V7EaUuCINVIylz6kktX8Q-Hg_9OgChp3np\
    FP6dhFItd9u13rV9_ogbWENMHwhbUOapXrGwNhoo1GKcjZ2-pdar7iZL686rPMRlnArR1eQgI759iVZLdyvo8JMiOPCvcdAR\
    t2JndE0TNaD-VUzznHC5djtBqjZrimSXMaz4lGWE72zGCRxFbsooEQ";
/// The modulus of an RSA key with exponent 3, base64url.
pub(super) const RSA_CUBE_N: &str = "0fe8qfIvjz15uRTokRwKxOBGk6kntLlw4wOQVdLm1QsDe8rhb5rS-dzq5HlOhmXc_unFSDFO2PJz3MMTbk-048Kb2ZK4EAH4\
    YSOxYSQKcnevxKaAlQL8B6jEFJYr7ZaDL3ww4USThFGFfxNQTbZAh0oJ9tUwqRIPQdQWAqBauy8r6BJr-hDPLFMpPFfARi0i\
    d81DZ7IGy5MK5lFENku47SeH7jsLXa5vAURBGyu91pecxgXmdFXnAmAGANUsQZw5AmZ0qO5kwe4Sjx16if8_B6ad-e68mOou\
    1J-hN5UT746IUCwbUIfJea24lgu_wZy0Qeexmjj2rActuks0Nh7piw";
/// A modulus of 1024 bits, base64url.
pub(super) const RSA_1024_N: &str = "4KVmoi_EQPJREQfe7v1gHuqOKsGFwttHYzn91RBqXZ2JHew_GuSCipBNHUt1WCgCefFK71bevStrbgsH9fZYQMu-ChHYWjVt\
    YCKsBQ6hovDRSLKvB_zP80yLxpyOdxd4llOluv3o9PC6wPUsrzilxzSXXNO8BZi2UZuJ9S3fyfU";
/// The same key, SubjectPublicKeyInfo in DER, base64.
pub(super) const RSA_1024_SPKI: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDgpWaiL8RA8lERB97u/WAe6o4qwYXC20djOf3VEGpdnYkd7D8a5IKKkE0d\
    S3VYKAJ58UrvVt69K2tuCwf19lhAy74KEdhaNW1gIqwFDqGi8NFIsq8H/M/zTIvGnI53F3iWU6W6/ej08LrA9SyvOKXHNJdc\
    07wFmLZRm4n1Ld/J9QIDAQAB";
/// PKCS#8 DER of the P-256 key that the policies trust, base64.
pub(crate) const P256_PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgA0aFjNsVe6dsPgplra6tiFQlW16GvDoiGghoG9AnCjihRANC\
    AARoQ9ZVLvjHryKMjcQkYGV1lwL1O9lO1Q1E4bTig4VPJARh4rmRz8XIgiM1RiqWGuTmrXTETWGPis6RXqjgAy0+";
/// Its x, base64url.
pub(crate) const P256_X: &str = "aEPWVS74x68ijI3EJGBldZcC9TvZTtUNROG04oOFTyQ";
/// Its y, base64url.
pub(crate) const P256_Y: &str = "BGHiuZHPxciCIzVGKpYa5OatdMRNYY-KzpFeqOADLT4";
/// Its SubjectPublicKeyInfo in DER, base64.
pub(super) const P256_SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaEPWVS74x68ijI3EJGBldZcC9TvZTtUNROG04oOFTyQEYeK5kc/FyIIjNUYq\
    lhrk5q10xE1hj4rOkV6o4AMtPg==";
/// PKCS#8 DER of the P-384 key that the policies trust, base64.
pub(super) const P384_PRIVATE: &str = "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCyWblX1GvmPhYBLQ3dhZagVeyWNkpC49tVmzIvEwV3+AJNjyrr\
    ERFism90NB8cmT+hZANiAARQyPKVexXpsEiWwbGOdZKfdk3/1vuXOwarMndaaK98H39+h5tKASE/gg1pCFT8IJcFIDnynjhZ\
    rSOeaTZrqn8e2DiKxzRweiCxO99ysykDvz1A4iYKyUHUFfjtpgQMoYE=";
/// Its x, base64url.
pub(super) const P384_X: &str = "UMjylXsV6bBIlsGxjnWSn3ZN_9b7lzsGqzJ3WmivfB9_foebSgEhP4INaQhU_CCX";
/// Its y, base64url.
pub(super) const P384_Y: &str = "BSA58p44Wa0jnmk2a6p_Htg4isc0cHogsTvfcrMpA789QOImCslB1BX47aYEDKGB";
/// Its SubjectPublicKeyInfo in DER, base64.
pub(super) const P384_SPKI: &str = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEUMjylXsV6bBIlsGxjnWSn3ZN/9b7lzsGqzJ3WmivfB9/foebSgEhP4INaQhU/CCX\
    BSA58p44Wa0jnmk2a6p/Htg4isc0cHogsTvfcrMpA789QOImCslB1BX47aYEDKGB";
/// PKCS#8 DER of a P-256 key that no policy trusts, base64.
pub(super) const P256_THEIRS_PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgaM+M1wM0WjP25JrKYSojK57Tf6r6ThmXCZIk5/AJi3OhRANC\
    AAQggfmI5CpsYd25siIVG79ldipLzhONxdHJzRNizktCtjX5NqVO8j+NAtx4IGDxLDv32r1WBiOa7QqU676XikKL";
/// Its x, base64url.
pub(super) const P256_THEIRS_X: &str = "IIH5iOQqbGHdubIiFRu_ZXYqS84TjcXRyc0TYs5LQrY";
/// Its y, base64url.
pub(super) const P256_THEIRS_Y: &str = "Nfk2pU7yP40C3HggYPEsO_favVYGI5rtCpTrvpeKQos";
/// Its SubjectPublicKeyInfo in DER, base64.
pub(super) const P256_THEIRS_SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIIH5iOQqbGHdubIiFRu/ZXYqS84TjcXRyc0TYs5LQrY1+TalTvI/jQLceCBg\
    8Sw799q9VgYjmu0KlOu+l4pCiw==";
/// A key on P-521, which no algorithm here has: SubjectPublicKeyInfo in DER, base64.
pub(super) const P521_SPKI: &str = "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQB9E93fPIG/mjdd0FpmTEgJu/pRsmfsAC2YhfgD1sQ+4/A2669F0X8ed4ODe+/\
    Uh8lV0WovQRtDf+eGLlUJTQPRdUBwGPtxuTH7NF2t0TYwDyl2tklUIUBB/1/q5Zo9FCHndszOcT/DenjyzZ3tJyw0531bUQ5\
    yNAKhmg1m4RDNdkQXYg=";
/// PKCS#8 DER of the Ed25519 key that the policies trust, base64.
pub(crate) const ED_PRIVATE: &str =
    "MC4CAQAwBQYDK2VwBCIEIOlkcGrIdKbqZv1ZGb76gt2M3wArdXj7JyOzi8GtZWbJ";
/// Its public key, base64url.
pub(super) const ED_X: &str = "PGKD4L7qeM2eU11-lse7_ne540ctChdZORwJsQ45WqI";
/// Its SubjectPublicKeyInfo in DER, base64.
pub(super) const ED_SPKI: &str = "MCowBQYDK2VwAyEAPGKD4L7qeM2eU11+lse7/ne540ctChdZORwJsQ45WqI=";
/// PKCS#8 DER of an Ed25519 key that no policy trusts, base64.
pub(super) const ED_THEIRS_PRIVATE: &str =
    "MC4CAQAwBQYDK2VwBCIEIOAFvAFAkbQpp5sCZqh0UO8uYZkLl27z4w6AKKwjODGZ";
/// Its public key, base64url.
pub(super) const ED_THEIRS_X: &str = "f4KbujyIvkKVamVPSEHGCmjkAApDncZfm19V0Edhxts";
/// Its SubjectPublicKeyInfo in DER, base64.
pub(super) const ED_THEIRS_SPKI: &str =
    "MCowBQYDK2VwAyEAf4KbujyIvkKVamVPSEHGCmjkAApDncZfm19V0Edhxts=";
