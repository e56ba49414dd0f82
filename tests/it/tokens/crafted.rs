//! RSA signatures over the usual header and claims that no library makes: what RFC 8017 §8 has a
//! verifier refuse.
//!
//! Computed once with `pow(padded, d, n)` in Python and the keys of `keys`.

/// A right PKCS#1 v1.5 signature: the message is the one that these are over.
pub(super) const RS256_GOOD: &str = "NSyg9Cq5lNgUUcQlVF9fDWpzAp3u9n397hskVZF_02g2Jq2AJqySu1B5vsl6CoMHSC9AB4g38ykezJ6Mjwwfh9Qxnt283iqY\
    d8FL54rkRB0w3CrQUFAAdPaw0dCa5id3acAAYf7c4QCls2_NgwfbrvPAeNvPnjvxIn8GVValPtYa-syiRclSt1G2415dXIEd\
    RBKs1QOzEMx3Mg1BMScTDc58o7HMl9QEUyCjihJ1BbvkwvL4b2HdyG-PlhRE0TnkbRTIE3MZzj56VCkZ3Y6KsGbRrUBM7cYM\
    Fjotm7_7jkgGpUe5qxmrpW-QZs_fJ9TSmYl2fBykxqTbLXqjXImh_A";
/// A right PSS signature.
pub(super) const PS256_GOOD: &str = "DhuHxqvAGnr08nI8f3q7DEjJqjv-9wXF8J8UECifrBriEDeOOtYLvHj5iN82YXzEZF2rvs4SOdvDoqxJ7QnJAtJbpZmpVRzX\
    K55sSPinWTMKRxXOUmudNTyYXVkbnhQjrpMSEvdDdbzVWIENlgyC7y-FRqNzM8ivsodJ71tfs1Jf8yMjNfkmw-py1K1Rc6en\
    hbXhaZbN4PdUed5Ik1Ujb5i5vYGKo3zZ9oOWqeEWsz387pmpKn9ff680eUNppM50fAufbMflVAMNa3lPbE-DX_b-UAmyVMcT\
    C7OIg-EO9NrZe9z7rs2Uw2_7P5PWRb3dzC7Ka2fl-7QWkYyI8qu9_g";
/// A right signature of the key with exponent 3.
pub(super) const E3_GOOD: &str = "fbkTau3c571VAXMCunqmpg-tv-nY2_P3YWWguyt1DbPjPl1e1elAg1SY6gaY0_6NbY_-F8mpUAmqVFqWwYgKhkD432yRd-fW\
    gVpoBePvORD0Ecn5p7UmJ3Su3EMBs8KnTeT1bzVd-P1vU0bUF_7UPMejkTXLR_yz5OL2AWDw7ThmsU3NIUOg_yeNH3HuiSG5\
    BlvQlz3-_z014pL1c51vATVWSTvqUlrE7iybf8nDH-PxgEY-i59DPeJkBlO9JPCm5ODyMcUXJR44beFoTQtINVJy9M9LDTV0\
    uNejHNzvhIxPTDmlx7p5u5lhOapQG1Yd7c0oYwyDewspMsS11s8OIw";
/// Under RS256.
pub(super) const RS256_BAD: [(&str, &str); 19] = [
    (
        "garbage after the digest",
        "pGpW7ayakHwEN3rS9xReeNW0dO2FXWe2ADGQubC2MgeAR5l73DkEQePglwfawu_0r03x_hjVOZ2DhRz-Qt9wuyzoeWcPk4e0\
         BUGiNSUd-QxnTys7isnjFHA5tbVZyQJXAoMa9_5IHyR5odPX0m_Up8eHp4cHHn3vi7MilTPBemugir-vaVByInVOghIwxzbO\
         uKNsJkp9ObH5mVkmZepLH5hFhhdGZby-V_hBQhrttEwHjUliT0J-mftjD8ncLuvCFVU0q8x7BnQT6lbsnLLWcz1R6PUe4pb2\
         VDkPmuotnv79TdAm--DMZi9wd_3DWcVBNW3eXNy077rFAPYsFNKWVg",
    ),
    (
        "zeros after the digest",
        "N7XkDIcpqmHfO5LOWpnIHf1VBnKGpyhPb1I-8zAYBLAKQ3Ts6UlQhJnaESFdnpX0Kzlr7gv0rG7oiRcX7PbAVEoDFCcDp53S\
         YFGK1kI473g3Ay-vFJyLGYIJQhsq3Mh3WGi7pk2Ea7L7P5TBkEAvtCzEN_wStXML8W7km1j2aPrMxXZBDC6_apd6pucUws7W\
         j9DxIOZvkjqtLmnw1GoOi3nITDmAYJg0F3xXBLZ32ftvvXZBGKXHd5WpDHzdKUecsnhQXUHy3kRXHS4iGUoZWkudPd49nmJ3\
         9qNQJw5YISfN4QVDuNwKlH3N0rDA37oNFG90Zw4PUZ9RFp6t2toCLA",
    ),
    (
        "one byte after the digest",
        "UwFlqN1hl0R22MTnN8XKHwZvGosfHlBM34t_Xlv8hOCQ6sB4M4iUSC3uFUypKfKzsDBb2k_x-yC9s8KXqEu-9UtX4WYz5Qky\
         yWgCQsiLe3PJYd7sWe9RKPrMWmhRrzw7V2g9G5ItTp-IRswl4ezPt7eTs4sv9D-4SYpBlrFfhtCuj227Wq5anOzuRehPpgj1\
         i4M4zK8m6LP-uvsstZIXYv99SxGZqoVHFWcDinU1DWy_-H_qpMq_krxS-7O2Dz2mmU6ts7syVOmFPBjeKJg2ZcSEWNUtJfwb\
         V5HnLba1okR_0k5dESD8CFj0yHSdZaxcP3f1_9Wuzpb_IOG0SJyTQw",
    ),
    (
        "no padding string",
        "eDyUCOsGw3Mu4rVLJjsFkasXw8msE3wToj15UWlVoRm7yQ6ojBoOHSf3-Evq0oPnCSgv8BxUClx6BWWPupxnwh3GyCIX-7Gq\
         wsfj8DzsiAPQo3kXknnt_dituJVSylp1IdGULTYqHdTgSDfbZP-GsEqjb1ttJe_QjoTRS0rnaaVQ_SW7YkI8KXBRHIzxsDfZ\
         hjkE5Q_88WGuhnTtXg0BEGLn-PSHc2RlfU5YkBRPrW8Tp85UxSQfSlT5HXp4VY2XPLUe8RGU5ZO7GpbLgf-dsbPYEE4QeGiB\
         rzgf_-_ZolmejcrPAf7h8C09oBpVCqZRlw6NYrL2XPVBPNwKEsKEag",
    ),
    (
        "a block of type 2",
        "VUtiyUGuvguQZIXSrSiOVCQa_EUMqN4Z9qxT5SEZTEUQf7-byzyAw2NL21BXCbq_MXAXsW1_js3v-yjfFAdy_0EJ9R-9oO07\
         X6Pm_RaM2KrEK7DjErTyyuFE10mPr5n70OcS90zC1BmC7hJAJwcxu_kNQn4nnZTMoHP2OSMwHaHs-em5P8fkTkIZcwOdNfO3\
         bDKWFryTKGBM78OBnMoeQJZf6_6aIwQNgqj8wVSFeEK7cMI1N77G9OH_pLRIv9iaQtM8Z7ygHks_Ki-FfDhGmXACCz2xlauH\
         AesKcqRXh34pS7op61aPZ3gGnktOi_E-CfE6_W3pGYcXysAoGC8XgA",
    ),
    (
        "a bare digest without its algorithm",
        "GYKSHcW_HDFfVSRWJ5w0BwHTf1eYXSscDMQgduKXThDC4D76TNxIg4XvpU0UssFkvPsbf3BPOHwWpX0MExlc-oSEtK-FaJ12\
         5q6TXruj1E8vJO8u9taLs2wI96tEh_bVYQvFzLzx7y2rcSpgGaAuo0OQYrYjXBFmx82NtvMy72QYIsOAXsAX5MRvLUuS0P2q\
         XQG7JIPbRa8JC2ot4nomaapoIvH8EwXL4iYFux0PGKBjzkaQTsQcb_gJbFm3RMOMeypyXgCDG5qoN8oTRd8rSOUPBZpF0Vnb\
         CYpDBfAmKG8GnqGfF0E0MZ5cvuKMiIEr9L8ifOb6A0wXEV8medxttw",
    ),
    (
        "an algorithm identifier without NULL",
        "ojeIPX6IpVhzIlGcAfBMRdHEqkSw5p-nso5ejX6PQJT2qQ4ne2K34I_XIlbvUCz1jdGGn9-vGsVvkMgfZBprXfE0O_wEFIn0\
         VC9xmAMJ6J2Fs-p6ebssn8AQ-MBuCApkJedV7DQ_eTzeoqKf5QKkpu3jrbt1DKea47BiU2vSgF1G72IWoBPER5aRR_pP1Uns\
         VOiHuG2ka3Leh-N0nMfeKB4N3HaJQkXlq0b2lPYqmBFzizFprZA5gVAmzFi0YJGdRVhORKxAVVjxzZqGdV8oZuuUmXYzEAbu\
         z0RNXHi1zWmGstgQ0pO_sFfFoNQ86en8W6Apzs5filwONtS-drWEsQ",
    ),
    (
        "lengths in BER long form",
        "Om8tkBP4ex3KxDDJ_2Zg74XXHxPeB4mZVP6RmOTX1krCpI2kIjxqyigCkspffVqmggzhAYEcf_cbVA3zd8meWcoYDh63gv2h\
         TyrW5xOoATvdxlOj-QlN_rTsjSTSSRwb4lVKb_YwRZ33NoS1D26p9iL5ZviJh4YXxQ9B2ZNUrGjNRDZ4bvcIfqO6X_DpbwbD\
         XYNqjtpARaNWbjkGLaU2YJ_MYxNpnrpe7M2szL3e_e_OljpgddxP30_HoO8POPdX56q8gWWrYR4XMUF1_oLVFzOWPmAhFyGU\
         G4o6XFBKSS_5LrCaGIC1fj6r37y2y5s9izaV2eohNnyNGYMxIwLFSA",
    ),
    (
        "SHA-1 named over a SHA-256 digest",
        "lBcSnR1pohqYMUE_E-Huojw90xMLxUo1TgeXz2DsokVEsy0_Z48vjECKgW2n1XhWPY36rpRHJ0jquk36BHOdh_BihXVFCFCz\
         BPIf4_E-7ztgDfGkLmPwDGy-ABWJB_6p0pHpYlKEf0Orq-jdLPxj1gsZc3R6yo7dfSzVsERAZBn4mw0VmVYQeGMxl2RzhHDP\
         REfQqAcR-kOWGGZjo6bUsayGrFMERXoKuOX9WD9n7Hs93EHhc-Qg4-ea8p7sKYfvESlBKP-vypaRp477Ljw5eODBK2L3iSxJ\
         zSbtSoo5Iag3zjebJERZlwwzOtJIVPuUUkMx0DMjQ1_E6jwlpkVVYg",
    ),
    (
        "a SHA-1 digest",
        "JCP4avOui62sAoiFLOw3VFEYaplXfOR8r3YGHP2jBH9jDpz0sk6JhHDUBBd04IGhNpmKjlWCy_YsnzZSLtJAMBZA9nJKfl5_\
         oT29ob3RGmiGDvdBvSOlaw76M2iUKbMFHb9fDFL_qhPVl66KYoleHGREzNDy70NuKuLXioS2etS5Nd3qqWFXNlzqF54mr3X7\
         HwYA091l2DQKjmp29qSUour39Jrvn2YC-pcVT2C5U-Hkve7qP2MNHA5b8FjqqysUhyRwHXolGJ44NkrX328BqRQQ7_gAFpjY\
         zkY8w0yCmvMoH9jnbqLLmfLuTBLB2H-OBSpZExCxDQ5_hEDSKA8jQQ",
    ),
    (
        "a SHA-384 digest",
        "PkvwKrm-44JwuchYm6DAZBBgGaN3uqWZLVmJR-LY1g-9QArfTZBKzs5dGdTA7qBK9iLDWBbkKBiH3B5RHwnlJXWFRSbhFYhL\
         Y_X18B6efQQQdQ6K4VBl3GQUfOiQaJ3H3dcO7ecsJr25cVgqAfTl76wuUgIY9RkNljOxuSg6xMW4ysoSR28PF5GrkwxXl7p3\
         LXWt6J7seHoAOr2hR5EY2tPnz3EEtRS2DzjCRJ71PNeLElPQwWW3brLjDSU0C_sGsZNWB32x6wbA9l35jqu9KTAb8GZv_8yf\
         XduBjFtNqlrG_1mfHxqnndfxyx0AA8Fuelv0ATWc0od-Nt2QSHBPmQ",
    ),
    (
        "a SHA-512 digest",
        "BYR0JdvAaa_sshk_4cvoagfkv_FnC8DqmO_ozgXEBYPvDeRZnSiQHXvr070M3Xg7K4sJHKUi6D9-U4tZNGlWdk13R4xHQYUg\
         _EPx9opPzScaSSlsMhxWNqCP9PHqXwTKWy0N8of2lF8S3Q74P04RymMnb59m72ju-GLydISVbRR4o6OSJUJyqoNiK0bsYCdH\
         muM9pH-NuGDZeb_OcDpJ1P-Ew1rJwjXteHoWlNWn9iAVAN13Txej-mAQmP6IfPvZtlRgXQ30P9WCsp0lSKjdSPRoS7-DTiYf\
         ApfzHKCVz3yWBK-hGqb0z8e5bI3EbQoINWKSuwnZAPJ8Gsq2IbXZRw",
    ),
    (
        "a PSS signature",
        "f1PqO1c35ZhHkzhDncQHXrc7Uv4B2Z0AEtTsuCvv13-yQ5m12px1gc_IPo7Qk9_H30c-uxKStbhyXJ7y9ThI-bEShc1xt1Zi\
         RcWkJ9XwhJnh6VXq6LgVWIMsbiPoRSEGCwrWK8ACNtDqmcMXMDVOPTgZIDKXDCfCB8H0JvZ-3nOOaEMi72EIkhTKEoc8tWLq\
         RGv4fTr_WBs2tanLn8jfean7HIYaQROST2zAF4_7wjvW75GAhFdMmB36RAfU1CdNjLVyznSoizFnv0P9tqKdB0ptGqfffnDw\
         h3BuYKNVfPCs4wEUg7tNb_DHxT6pUOlqs6jBuJEzg0l8OJX1PKgYaQ",
    ),
    (
        "s + n",
        "6fTrHAucAEBU5lDcFiD28-g2WzdHsm3aDzZ7ytUsaxKwp-YNoWeOASJGHJcLi1eK3fIxQkh3B-89hSfyDl4mv3zFL9sndHY4\
         bUG-jNBI4IiaB9siuvVtpxawmldGo_upFMfu_F6QdDnaCM4aWGYFqhG6s369mEv8OcsSsKMOgNmwnidBNqhTr3mt-zIJK7IG\
         pBCeDYf-MKRmhUxIOuTVhvMvK0XMDzX2dod36yhwoUIF6sbNpEf8E9xcQ6ajWoS5rIlVtaRoD5796av51L-y7oHnVm4lVqY4\
         tBD6mWVZLTRgaEp2nk8qKAjtuJjPeDBgC5Biv48KiLmPV46TWucsOQ",
    ),
    (
        "n - s",
        "f5upM7Yo1pAsQsiRbWI42RNQVftpxXHeMwAzH7IsxEJEWosNVA5oioFSnwQXdlF8TZOxMzgHIZz_6-rY8EXnr9Rh8h-tuCEH\
         fb8mvbqAWE44T4WCGlVsvSlO9rYQ16y6QUfuOGDWsjiOoe5_UlZOTCo5wcceW9QZ9M0GBfXEAy16qI38qxWuQNZANHVOcq_M\
         G-tEY4CYDwt4ITHF2Java1Y14-Iy343t0EYw1wOGlco8ZODcxYRAgv09F34ZuBDw0l_Fjr40cyIJQVnGGaKdjbRD--2Lexog\
         h5yfYeViEKRTHbsDSBvS3SnM6vkRKIa62H11x1XA-2_Y_JlModPoQQ",
    ),
    (
        "s = 0",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ),
    (
        "s = 1",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ",
    ),
    (
        "s = n - 1",
        "tMhKJ-Dia2hAlIy2wcGX5n3DWJlYu-_cIRtXdUOsl6p6gTiNerr7RdHMXc2RgNSDlcLxOsA_FMYeuIllf1IHN6iTkP1qlkuf\
         9YBypUVknGtpK7BSaqVtMh__yIarvdQxqwfuml-zkzk0VV5M1V4p-x36OqLt-hALF0wMW0xpQgOVo1qe8N8A-Cf3F9OrzzDp\
         X_3xOIRLH9fvUz8HCb3CeSSyh5P_d2HyI2bUYRX7m4YhJ9PVNOYeS2zMrZJeiUrVP3SNojFOQWCDlYLf9zEoPhsVqS3YaOAs\
         ndbM_aVdnuxZwwK88zV-gpldUcjwUFuNcgbsQ3JlwhS0KhPv_l2KPA",
    ),
    (
        "s = n",
        "tMhKJ-Dia2hAlIy2wcGX5n3DWJlYu-_cIRtXdUOsl6p6gTiNerr7RdHMXc2RgNSDlcLxOsA_FMYeuIllf1IHN6iTkP1qlkuf\
         9YBypUVknGtpK7BSaqVtMh__yIarvdQxqwfuml-zkzk0VV5M1V4p-x36OqLt-hALF0wMW0xpQgOVo1qe8N8A-Cf3F9OrzzDp\
         X_3xOIRLH9fvUz8HCb3CeSSyh5P_d2HyI2bUYRX7m4YhJ9PVNOYeS2zMrZJeiUrVP3SNojFOQWCDlYLf9zEoPhsVqS3YaOAs\
         ndbM_aVdnuxZwwK88zV-gpldUcjwUFuNcgbsQ3JlwhS0KhPv_l2KPQ",
    ),
];
/// Under PS256.
pub(super) const PS256_BAD: [(&str, &str); 16] = [
    (
        "no salt",
        "K3BkryEAifasGvXzCvmTRiyoqAoy-HXXBKRFtsebPhN5yy0a1EA0Sg3lbdo_FBSrL6gAwTbshv5rp1nEwlY19kzNhCA37MHS\
         ZQswkBe7Xm4DW0p4hxM9qTm5JqjdaoASamuOp7wyPvxcfgWL1whq0leQhuJr17iqYvxPyp3Yn6wPRch4iTDYWeOPYxNCWcts\
         QYO5DrV-Axiw22qRovUay6RKUWmZyL5AfTusdWQFPGRwJ38wHmin9KzqXO0hA_yYxXtUq5Ll3OOK7d83o9ucHbFLzd1R6LHc\
         -1BbPgw88D3egWB7iOGTk5PmFPrgnql8SCb2o3bMYq0zJ7WvNqPtdA",
    ),
    (
        "a salt of 20 bytes",
        "ewW_RldKARrAz0vnU9oDUpo3XfVV3hr3eIQt0KD6pR99jw0IqQZ0Tci9HBw0wICenWcZHqDw39px9ThOMJvD1rxG2kFeaREY\
         vbRIiy3CC0YxdluCaqTFte7yl_7c_6D487khgjcHQfbzKjFFC9KYyk0SXl2LUHzVk9jg497RRFhd2pGDQdbtnale_ujkLsbM\
         tdRL5wTP82MwvRpJXdN7v1lHVf5i2sGIACyaMGXKJXpdfPnJtW5GJmONs1lkDIJUNeHpkMH5mGjFYffoP8pZdBnIjxsJRpYt\
         vRqi0IOuiFscjo_3u2rSGmIfMj15SOdOWFlOirvHL0YzBd0KP21x6g",
    ),
    (
        "a salt of 31 bytes",
        "YRA4EvYg1UkpzO7GAEyV-pppuAnK_qJWuqI6ojAQCwrmFEx4qXgMlJxNIRmhrDUYksmbztizDeqDSGcxF9F3Fw0fYBwmlOOx\
         voorWbdsMAPq3kIZhk5NfkZ4cR4HYzXc_dJa3FEbVpxT4rgCWdvsiNZj0FZ7ALtrQ3M7xOpjwH9w44ZLy7qhloiViQvZY0sz\
         iviBsKApW_AgSGuJundzUqU2v5d6NEM-BeSXNZmwcMAGdHLZjw2NBi0_wYEv2_onWGp9-yldEqM71bwSiYcJmHJwIw6JendZ\
         mui1vpzzhaCjYWX4nJg3wpXCWcCRSWNtQFDkit0BzX7-QStZ30T65w",
    ),
    (
        "a salt of 33 bytes",
        "B6h6HOYmEbp5yOI6ghiqowuKpfp_55KdMrmFr2xfziQORdbWyxAZHlmyGI3ionB97RNQwMiOy_PhpYlxj3M5QF-_myAPNRG3\
         PkuLlxF99JxZzHX0kOkewejoxeLCDTNGQfuFRL6e_cEaQbFkHQZG53v56PeNz9Auwrj1Vy-Rp1twwGr4-AvR8GLlXAdzvFZz\
         bx2AmSAhc2JBj64GupCUfkB8Uhl-WneFGxr2bXoYw2IB27caTZzntPG72-DcHiPTVAQCVUT_VX_3BZD2G4tf5Fz4K2CRHc-n\
         pG0KulARWld5wDorHHjFJkCHqWDEWHxL-SY6FMUdl2ooR15bHSpMhA",
    ),
    (
        "the longest salt",
        "mu9CskFbX-Fe1Rm_NJwronK4UHOtNLwpYkk0jYYm8lC7J6AC0mkn2j31ZVBCvGQSi9OLx5Kcx3lNWgYOo8O6mub7AmfUiFyt\
         e1Vm93zdBBzE0kdxldj-G7XbHCh5sqFMXroALWMUR8xIqwGLwYx_Wywe0G_sDvqpWaz7da7ZLz7zuJhHt4OfPV4VayfAvIvQ\
         Ythb1-5ngBTMTrtidWQk5kQIY4TC6r4l2pbld3hQrfF7O6RMHc9Znz7CyfrkiaNr8Ci9uXnka2i-ILPGzZsGz0vOsIVkRdco\
         KVu5b9usZKgmCTB_ued3CAQc7pY6QwSMcnzh3jufExEMmjxDR7VJ9Q",
    ),
    (
        "MGF1 with SHA-1",
        "dYxlNKCwUVO3A1ewzZEEL7sQnM5bS6_KvTsUXKQzZoEC35bs0VnK6YhkAf4N3dqeh9maI5K408G7wkzkYPA6YS9ZmCfmVQjs\
         zWrYYw8mRBas7l1j8VgtF9eSAI6pk_uK2ZwnDwRIr5D_fl3qiDq5ZAKT5XgHPtBxSL1QBpfSTR8zQy0M5lRh4XZr_pa-af8X\
         tuA3F-HKC6e8ywO4ZR8bH6BOBhtUfmm5p9xIfelMtBF26UMfPho8diLV22J5Tk1XQ4R1MwNUv2dLUQgfOJ_gQTnWjMXbbWS-\
         BRdfMPZcM1sQWi8_8NQB_5UxV1Cm4Me_o_d8bAHKVbQmYptGLX1AiA",
    ),
    (
        "MGF1 with SHA-512",
        "Tqy3FwqgYH6zxHnz-ahb-nwLgQY5VAjoq3W9QDvE6E0bxB7epuSj2s0wAxdy2S3IRVg4tRib9AexyuA7hgqGpzLXvYG0njjz\
         Cg0rO9Elp07_b1A4NBEOG9h1lkVbJSvZKlTav92MS3VChnqRAP5AGNl32yGfNGUrrDxJ0NiyNSYZ5mMMbWxxLR82yle4sijp\
         eNVkowm3aQHHR5FzvJkAgXEl62-_V3o2au25M22YKek65nNgH_HXAKjudQFZkKIJgkkjKb8ZjoW_PPdzToXWU9oaMyTFyW9A\
         WHSJs_TH7-8QabVn4B-wQuWwUYu_VO30whMAsnrL0G4FIJjR7KRQrQ",
    ),
    (
        "SHA-384 throughout",
        "rT8rGomf2HrSNnFsVYfeuwn8txcx69-jvSOn4AwcKvWeHS7sjM6jF8Gt5qghP9V6IA2xuJZICKbHAtoftFa1_NV3EvcCby_F\
         -zYfcOh2RruATiBq83mJcgqDxFYGKvZP-hL4x2i1auNr-m4BTMum2NIoBz9OViGsmpAFkONn12ENAiJGLL-F5k18befukJJz\
         8B7Kez49vIBqiBvwXMxuMT7l2EART0UIjCjhksE_faJOTHG2R5AOhTHbSyVR1wJTJZiD3LlnM5akhutvO3BjXRr8ANfU03hU\
         7NS5SqO5NSVZxqKysCrlj6wlIAz6sVM9rBXQnz1Zue3Ni2VKghwWxg",
    ),
    (
        "SHA-1 throughout",
        "RylCu2d-YjrOgQVoNH0mhA7eSBnseUa93AgQjmZkHrdbZ8m0c3qe2Ap0pPFW0tQzCd8uskVKUmqOImCDlCb3DCnen3n3cnem\
         IWnLKmUzU0Bq9WXkvpRZIc1SRmahdoq7loDJpunGFAfZ0p2r-q6H0EADlEe6kJxUUzL1JgulmGxHe_4buf8oLhB6zMl0VPCZ\
         5SkPMB73MTYp7tjLFmklqC4_UVqQHRVJJ4HyLZUjT6Afb1KMcaiCtltgqFU_L0CTQbtpF0wFpM5YHlH3Q2xhPdkz7_s_iJc4\
         cCiQuUJGKOo65JvQTw642NLuzkBS_Fz8Og-QA4O_-AdDpPdJfcEILA",
    ),
    (
        "another trailer byte",
        "Amjf0JIldQUUvLMA4D6Ve_zlDqCra1TH4quhsIGocjB4zmNeEIO8KrFVXIHdwc1bafnC1GkTPMtD4PLk83nEJvecdnmsps5d\
         IVeCo7bZzlbqf_KwOlNYCf12OHtmAhF2NSCgIFcbJ70MptFBXfV4tZscK40iG2pQX1lj-9MOMhRX-DM4z7Zb_KR0nuN59HR5\
         VzALFNWd2vrOMQiLw90bVCWM54jsTS0JQtNx-gD1Qg72VW01qun4yUmtIlR5OZ5yxFKP2YoEaDAPKXJHpZCgcyIU2edtN9gm\
         qQKDdKFQ0a79COMCb7g6nNBi24XQRVejIu_9lUK16llhouomKH9sQA",
    ),
    (
        "a wrong padding byte",
        "nGN03y7chcVSCw-JyaTlhIPZzc3qd5bdj_ts2lKDIdOPSVppfN7faDlmuAVOmmCEs8hLUTVxf5szu8TT2SSCjUTSwrCHyYqh\
         U1thZBowhGlIH6Y3Zye_O6uytmPQGNR7uGVYtI8mz7wtm_6wDUuS9bxBWnsA1-MN7DaW8ofCYke4bgEwuSkdsKArs-1tzF_D\
         w5wrGL9fFjzBcXF_JovVnX9EplanHs4ArNxHNcgiGoh2boso52LtjJsn94kzhszTp8zr628Y-bhs_jXO9JG4pYqzAiI_eQRk\
         NKrhXuZzP4p7dCrRsxP0GSP__G66_MtVDQ2b6-qPdaZLbllH1gOJjA",
    ),
    (
        "a PKCS#1 v1.5 signature",
        "aF-_bCx_WwRXxlqDpRcXmsCb2iSJYBnSijEFKaGm5MKKkQRrR5RbbP-tDE6XRClqmToastKmGXy5Aee0kvXoLsMHwsgketRh\
         PHHETnHEswo5pM-YWwk5AN8pPXUm-FY5cywqmx00Uf9QXj4ev8DA2K4XwL3-KG4aDdrHZeSTO6bWYuatVEqeB-_mPOZeVbHi\
         q_t566IXvI-QXDoS8K2kHW-DrwywnzEapjGTzEH6TLNulKmkj7_6nGEDnf3xRBx267LNj8LBbsJ0mjlWLUWMPOGIBbUcVyGd\
         2mq3Xx2L1a_utfUQ2JbY3lPpkw9fi8bNcrAMrvI9oCCo5y82UIU1Ng",
    ),
    (
        "s + n",
        "wuPR7oyiheM1hv7zQTxS8saNAtVXsvWiEbprhWxMQ8VckXAbtZEHAkrF5qzH4lFH-iCc-Y5RTqHiWzWvbFvQOnrvNpcT62h3\
         IR7e7j4L9Z5zcsYgvREKZ1yYJd_HW-hVWZsArVb3CPYJrd9aa2qs6k1_gUZhLdi6ydNWSqfI9VX1ln3CJtgnvBJp7ID9QtiQ\
         5bPSohsZAM9DzR1PnRLl6L1sRRWKGt7MGeprCvcSTsQeFm1-X2V9yxwBJtXILhlJu4AtDvkzlWORAPwvY4CrnhIT-TeKvac_\
         qYpVgYZsk8czPt-4ogMTRglYkVzGlhlrPjW2rtpLvcjKu6B48QlIOw",
    ),
    (
        "n - s",
        "pqzCYTUiUO1Lohp6Qkbc2jT5rl1ZxOoWMHxDZRsM64-YcQD_P-TviVjS1O5bH1e_MWVFe_Is2upbFd0bkkg-NNY362PBQS7I\
         yeIGXEy9Qzhe5JqEGDnP_ONnay2QH8AN_HTch2hwHXxe_N0_P1GnC-508_96xkdbZMTCa_EJjrE1sDd7uuXaND2EQyZaW4lB\
         2kgPzu19PuCa2WC-dmifCYv4yhJ00-UYLOM9tzTk6EgkOTosCma-y72YNE705Hxgw2juNWlo7V12KgmQiuGk3iQXWSQmFBkZ\
         kiNEecROqhGARyXBRGfpvyliEjUaCp2vpdgh2Ap_xmCdmIdnC7HMPw",
    ),
    (
        "s = 0",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ),
    (
        "s = 1",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ",
    ),
];
/// Under PS384.
pub(super) const PS384_BAD: [(&str, &str); 3] = [
    (
        "a salt of 32 bytes",
        "L3tCKv7yyM8jLMdCwGOL6g3vB6e7oXwK3qneoU6k9K55knCpY_3IxDKkpnYnkQtNC2Ov93ZhcVQK4nXNwsIDMHezClD_NkQd\
         HfJQilIr995VzHj3IXsA3CHsy2tDVX5D9wpZ9w-FqhULDVy4UFRK82Jwhi-CigAP0Bq7fARn5wcsfIk1bQP3WayR-ZQyrJbl\
         iIOdGLD6cJOaBH6n5fqFSlRF0-2XIbDZeH749viEr5gk4WYrB_KlNKbICktifSrm90_62vAHNr4Eei9gyfYV6wCfLCprGQcL\
         -cScG6bx95aK6T2EHSjaDYXA2_c7z6kAS9BLQQ6W1nXR5PbWivvYng",
    ),
    (
        "SHA-256 throughout",
        "maNuJXcZu08_QRZ_pDr6AzFhWkdViDXwKqMdP8btj0vOKBl02puzSDagX5Ytf74YTHQYRdL8M8x6BlIO1ho1LTY4z36O9OFy\
         eElqfn_RDeFNmTif2n_Fz_ewGRqpDZb6HSWy_bXUU9kbjKXnSPEiheu9N5ru_fv0lLpRTRERskKZpEhpbfKRqpH0yVfgx18L\
         _0yYd2ujaxXc3Zl543OJFnaLB0IfaFzqmpwQBVb63jOn9jQS1QlP4ddwouj6ApFPJ-27S087G2Dufp0f3jcKLLMWy0pWo5Jr\
         7dqO8goQR5uUHVnLyp8916szrEJRx-fbcbqM1FTI_5MtuEhIBpvElA",
    ),
    (
        "MGF1 with SHA-256",
        "oXKQzAUBqOd8e5uk28IZ2wsuO2ItS_HZ6N5KOCrL0tgYwbxS6oc5Vc5DpAy2doiNhTOMy4JcQ8JERSNjvAonkMnLQqRBcGkC\
         ooejOAHC6Jor9-4sIqy4RKR9-UCSt5dtvSmysHFt9W_eMfalxdbQj3gqQHVfH2RHkJUJrDXF1JtIClrnFyTOUvKBJreve4y6\
         6YxGR-sUFVw1WUJxCL7Z7SgpQG_isZ6oCRlWfGv3HqXL242e5dWYeJ8f1mliQiJc6X_zx0os04ci_-TKf3lYj0rvFxCXiSuT\
         2KGnH2kav7v1Bstd0aOC8Ek-AslZ8QiUrPjou43evZPNm43tqjmNmg",
    ),
];
/// Under PS512.
pub(super) const PS512_BAD: [(&str, &str); 3] = [
    (
        "a salt of 32 bytes",
        "k-H8XO7le1hn5cpoOiVACHfV0Q23T53Ceb0u4-YJ_IaflCUxLFMWU2OBzbKql_lQ2gSezYBwFVjNW5QtKSliEU8NfCHGE91x\
         mXU3xDu46w0lcZA5YX5rqsGpMIxBOh9mx1RRNhWVcc7JUKT1txS3IHF7LwyrbYRG089ggwXLgTS80rh7tEri3pI1vVg-4lXa\
         FjuF7dOUiuE4s9hWIW17lJJwKbBViAR9xLlYY9oKoT0NzZ4llZxZQPEU5x_t3RgHApagVcHx63WDSirOtNA2rVLFJWB1ThpX\
         gwZVxHjhlZnBH2AyqCK-1y0BeoJ3TgdKGCF_t1XEK-nE4sD3uf1KFQ",
    ),
    (
        "SHA-256 throughout",
        "Ajd8VAgg8NPgg1X6cIvrD12CDRQNOiLsayJkJ0R8570lLBn3NrJ-RlQvEqM0RQ8wXumwcq3a9Dzujb4oP4nffmneCJGlmZIj\
         wLID8CgRRej8Y7oZRgXNRArfy2Os-ZcLfBckbV43plCarKXcwHT-OMSWYltTkX-WCX8r8I_n8yhKZjDqpI26LkjQ5Vpioanj\
         OsnSbkwKM-rtFVjCkeHagwwH1f8QhsJGOgbMSnOF06YpyUi-BSLxd1ZovnDFYHF07TworX5Xe9YiOMdShCS1z-xapEJdokvg\
         0Wf3jdNFG0XJMbNpuCR4RW-8bR4_REgn1BBO2vrZOGXL1kUnPNW2Bg",
    ),
    (
        "MGF1 with SHA-256",
        "bGdh1arm3QAlEs4O5KCNLogPs_6UboamZ-tPuL_tCRdMmYzQOS_PhazRnkZntAnLRc8100xJgkzbtoJBPV8gFiqve053lQsl\
         Om8Rwvj6OiISD8k4Ns4Mi89uxWqjtFVwZhcsvRgbjud_OvgT8GntMjPBV-U5ZrzbzpnpjVvt6nspp4PRiVI4-KnBv6aIvB7D\
         y2NEKza_20Z_n_1KxjK7mr9FB0UGw7uWKMWvWNiTv4IeP7tUu-DQudqjjUDI99N8lYJz0jFJ8BLfph_2zqlDQ5RHk4MaGQHp\
         w4_65Yeft7ix-fgviQTnwPZrapM3NK57cLn1ci6oxqdoGqhz8gCFgQ",
    ),
];
/// Forged without the private key of exponent 3 (CVE-2006-4339).
pub(super) const E3_BAD: [(&str, &str); 3] = [
    (
        "a cube root with eight bytes of padding",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVYPXZ1IPUWQHWRdtN4JvLvY649x6iN8zviX8xHNgYFcFls--R6\
         nZO7CAmkz5wXAJ7rV_N2WFLLte45YSdo18pFUIwHeoIHIoGTpW3jOA",
    ),
    (
        "a cube root with one byte of padding",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMsOGJIRZEYF78SXDzxU0PO4TifjO_7vYUI1iuY37cIjGDz6mQ3vqvwzUqsYZ\
         YGQ9LArHjmzaByLpoofcXoEWOOWrHCKtUbVgTxH_44pa73t28nk88A",
    ),
    (
        "a cube root without padding",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKFPNc-TT9oVa0mXPhmaI0CzbPntOm0YZBPaV7yA30faJSEHzf7fopv9eE3jl\
         quYpaUFs8QZYL0z-BysVReyzLs_Smy1K2PTJL2GhPS0QLrEB2SoQ3A",
    ),
];
