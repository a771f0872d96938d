/*
 * expr_words.h - the fetches, converters and fields of log formats by name: one list each, from which
 * the enums and the tables are made.
 *
 * Arguments are written as letters, a capital one may be left out: i number, s text, x hexadecimal
 * bytes, a address, f frontend, b backend, r server ("backend/server"), v variable, m number or
 * variable, k key in base64 or variable, c conditions of set-var, any number of them.
 */
#pragma once

/* FETCH(id, name, type, needs, arguments); the first row of an id names it. */
#define CONF_FETCHES(FETCH)                                                   \
	FETCH(ALWAYS_TRUE, "always_true", BOOL, 0, "")                        \
	FETCH(ALWAYS_FALSE, "always_false", BOOL, 0, "")                      \
	FETCH(BOOL, "bool", BOOL, 0, "s")                                     \
	FETCH(INT, "int", INT, 0, "i")                                        \
	FETCH(STR, "str", STR, 0, "s")                                        \
	FETCH(BIN, "bin", BIN, 0, "x")                                        \
	FETCH(IPV4, "ipv4", IP, 0, "a")                                       \
	FETCH(IPV6, "ipv6", IP, 0, "a")                                       \
	FETCH(ENV, "env", STR, 0, "s")                                        \
	FETCH(DATE, "date", INT, 0, "IS")                                     \
	FETCH(DATE_US, "date_us", INT, 0, "")                                 \
	FETCH(HOSTNAME, "hostname", STR, 0, "")                               \
	FETCH(NBPROC, "nbproc", INT, 0, "")                                   \
	FETCH(PROC, "proc", INT, 0, "")                                       \
	FETCH(THREAD, "thread", INT, 0, "")                                   \
	FETCH(RAND, "rand", INT, 0, "I")                                      \
	FETCH(STOPPING, "stopping", BOOL, 0, "")                              \
	FETCH(UUID, "uuid", STR, 0, "I")                                      \
	FETCH(VAR, "var", ANY, 0, "vS")                                       \
	FETCH(CAPTURE_REQ, "capture.req.hdr", STR, CLIENT, "i")               \
	FETCH(CAPTURE_RES, "capture.res.hdr", STR, CLIENT, "i")               \
	FETCH(AVG_QUEUE, "avg_queue", INT, 0, "B")                            \
	FETCH(BE_CONN, "be_conn", INT, 0, "B")                                \
	FETCH(BE_CONN_FREE, "be_conn_free", INT, 0, "B")                      \
	FETCH(BE_SESS_RATE, "be_sess_rate", INT, 0, "B")                      \
	FETCH(CONNSLOTS, "connslots", INT, 0, "B")                            \
	FETCH(FE_CONN, "fe_conn", INT, 0, "F")                                \
	FETCH(FE_SESS_RATE, "fe_sess_rate", INT, 0, "F")                      \
	FETCH(NBSRV, "nbsrv", INT, 0, "B")                                    \
	FETCH(QUEUE, "queue", INT, 0, "B")                                    \
	FETCH(SRV_CONN, "srv_conn", INT, 0, "r")                              \
	FETCH(SRV_CONN_FREE, "srv_conn_free", INT, 0, "r")                    \
	FETCH(SRV_IS_UP, "srv_is_up", BOOL, 0, "r")                           \
	FETCH(SRV_QUEUE, "srv_queue", INT, 0, "r")                            \
	FETCH(SRV_SESS_RATE, "srv_sess_rate", INT, 0, "r")                    \
	FETCH(SRV_WEIGHT, "srv_weight", INT, 0, "r")                          \
	FETCH(SRV_IWEIGHT, "srv_iweight", INT, 0, "r")                        \
	FETCH(SRV_UWEIGHT, "srv_uweight", INT, 0, "r")                        \
	FETCH(SRC, "src", IP, CLIENT, "")                                     \
	FETCH(SRC_PORT, "src_port", INT, CLIENT, "")                          \
	FETCH(SRC_IS_LOCAL, "src_is_local", BOOL, CLIENT, "")                 \
	FETCH(DST, "dst", IP, CLIENT, "")                                     \
	FETCH(DST_PORT, "dst_port", INT, CLIENT, "")                          \
	FETCH(DST_IS_LOCAL, "dst_is_local", BOOL, CLIENT, "")                 \
	FETCH(DST_CONN, "dst_conn", INT, CLIENT, "")                          \
	FETCH(FC_SRC, "fc_src", IP, CLIENT, "")                               \
	FETCH(FC_SRC_PORT, "fc_src_port", INT, CLIENT, "")                    \
	FETCH(FC_SRC_IS_LOCAL, "fc_src_is_local", BOOL, CLIENT, "")           \
	FETCH(FC_DST, "fc_dst", IP, CLIENT, "")                               \
	FETCH(FC_DST_PORT, "fc_dst_port", INT, CLIENT, "")                    \
	FETCH(FC_DST_IS_LOCAL, "fc_dst_is_local", BOOL, CLIENT, "")           \
	FETCH(SO_ID, "so_id", INT, CLIENT, "")                                \
	FETCH(SO_NAME, "so_name", STR, CLIENT, "")                            \
	FETCH(FE_ID, "fe_id", INT, CLIENT, "")                                \
	FETCH(FE_NAME, "fe_name", STR, CLIENT, "")                            \
	FETCH(FE_DEFBE, "fe_defbe", STR, CLIENT, "")                          \
	FETCH(FE_CLIENT_TIMEOUT, "fe_client_timeout", INT, CLIENT, "")        \
	FETCH(BE_ID, "be_id", INT, CLIENT, "")                                \
	FETCH(BE_NAME, "be_name", STR, CLIENT, "")                            \
	FETCH(BE_SERVER_TIMEOUT, "be_server_timeout", INT, CLIENT, "")        \
	FETCH(BE_TUNNEL_TIMEOUT, "be_tunnel_timeout", INT, CLIENT, "")        \
	FETCH(CUR_SERVER_TIMEOUT, "cur_server_timeout", INT, CLIENT, "")      \
	FETCH(CUR_TUNNEL_TIMEOUT, "cur_tunnel_timeout", INT, CLIENT, "")      \
	FETCH(LAST_RULE_FILE, "last_rule_file", STR, CLIENT, "")              \
	FETCH(LAST_RULE_LINE, "last_rule_line", INT, CLIENT, "")              \
	FETCH(SRV_ID, "srv_id", INT, SERVER, "")                              \
	FETCH(SRV_NAME, "srv_name", STR, SERVER, "")                          \
	FETCH(FC_ERR, "fc_err", INT, CLIENT, "")                              \
	FETCH(FC_ERR_STR, "fc_err_str", STR, CLIENT, "")                      \
	FETCH(BC_ERR, "bc_err", INT, SERVER, "")                              \
	FETCH(BC_ERR_STR, "bc_err_str", STR, SERVER, "")                      \
	FETCH(FC_RCVD_PROXY, "fc_rcvd_proxy", BOOL, CLIENT, "")               \
	FETCH(FC_PP_AUTHORITY, "fc_pp_authority", STR, CLIENT, "")            \
	FETCH(FC_PP_UNIQUE_ID, "fc_pp_unique_id", STR, CLIENT, "")            \
	FETCH(BC_DST, "bc_dst", IP, SERVER, "")                               \
	FETCH(BC_DST_PORT, "bc_dst_port", INT, SERVER, "")                    \
	FETCH(BC_SRC, "bc_src", IP, SERVER, "")                               \
	FETCH(BC_SRC_PORT, "bc_src_port", INT, SERVER, "")                    \
	FETCH(FC_RTT, "fc_rtt", INT, CLIENT, "S")                             \
	FETCH(FC_RTTVAR, "fc_rttvar", INT, CLIENT, "S")                       \
	FETCH(FC_UNACKED, "fc_unacked", INT, CLIENT, "")                      \
	FETCH(FC_SACKED, "fc_sacked", INT, CLIENT, "")                        \
	FETCH(FC_LOST, "fc_lost", INT, CLIENT, "")                            \
	FETCH(FC_RETRANS, "fc_retrans", INT, CLIENT, "")                      \
	FETCH(FC_FACKETS, "fc_fackets", INT, CLIENT, "")                      \
	FETCH(FC_REORDERING, "fc_reordering", INT, CLIENT, "")                \
	FETCH(SSL_FC, "ssl_fc", BOOL, SESSION, "")                            \
	FETCH(SSL_FC_SNI, "ssl_fc_sni", STR, SESSION, "")                     \
	FETCH(SSL_FC_HAS_SNI, "ssl_fc_has_sni", BOOL, SESSION, "")            \
	FETCH(SSL_FC_HAS_CRT, "ssl_fc_has_crt", BOOL, SESSION, "")            \
	FETCH(SSL_C_USED, "ssl_c_used", BOOL, SESSION, "")                    \
	FETCH(SSL_C_VERIFY, "ssl_c_verify", INT, SESSION, "")                 \
	FETCH(SSL_FC_ALPN, "ssl_fc_alpn", STR, SESSION, "")                   \
	FETCH(SSL_FC_PROTOCOL, "ssl_fc_protocol", STR, SESSION, "")           \
	FETCH(SSL_FC_CIPHER, "ssl_fc_cipher", STR, SESSION, "")               \
	FETCH(SSL_FC_ALG_KEYSIZE, "ssl_fc_alg_keysize", INT, SESSION, "")     \
	FETCH(SSL_FC_USE_KEYSIZE, "ssl_fc_use_keysize", INT, SESSION, "")     \
	FETCH(SSL_FC_SESSION_ID, "ssl_fc_session_id", BIN, SESSION, "")       \
	FETCH(SSL_FC_SESSION_KEY, "ssl_fc_session_key", BIN, SESSION, "")     \
	FETCH(SSL_FC_CLIENT_RANDOM, "ssl_fc_client_random", BIN, SESSION, "") \
	FETCH(SSL_FC_SERVER_RANDOM, "ssl_fc_server_random", BIN, SESSION, "") \
	FETCH(SSL_FC_UNIQUE_ID, "ssl_fc_unique_id", BIN, SESSION, "")         \
	FETCH(SSL_FC_IS_RESUMED, "ssl_fc_is_resumed", BOOL, SESSION, "")      \
	FETCH(SSL_BC_ALPN, "ssl_bc_alpn", STR, SERVER, "")                    \
	FETCH(SSL_BC_PROTOCOL, "ssl_bc_protocol", STR, SERVER, "")            \
	FETCH(SSL_BC_CIPHER, "ssl_bc_cipher", STR, SERVER, "")                \
	FETCH(SSL_BC_ALG_KEYSIZE, "ssl_bc_alg_keysize", INT, SERVER, "")      \
	FETCH(SSL_BC_USE_KEYSIZE, "ssl_bc_use_keysize", INT, SERVER, "")      \
	FETCH(SSL_BC_SESSION_ID, "ssl_bc_session_id", BIN, SERVER, "")        \
	FETCH(SSL_BC_SESSION_KEY, "ssl_bc_session_key", BIN, SERVER, "")      \
	FETCH(SSL_BC_CLIENT_RANDOM, "ssl_bc_client_random", BIN, SERVER, "")  \
	FETCH(SSL_BC_SERVER_RANDOM, "ssl_bc_server_random", BIN, SERVER, "")  \
	FETCH(SSL_BC_UNIQUE_ID, "ssl_bc_unique_id", BIN, SERVER, "")          \
	FETCH(SSL_BC_IS_RESUMED, "ssl_bc_is_resumed", BOOL, SERVER, "")       \
	FETCH(SSL_BC, "ssl_bc", BOOL, SERVER, "")                             \
	FETCH(SSL_C_VERSION, "ssl_c_version", INT, SESSION, "")               \
	FETCH(SSL_C_SERIAL, "ssl_c_serial", BIN, SESSION, "")                 \
	FETCH(SSL_C_SHA1, "ssl_c_sha1", BIN, SESSION, "")                     \
	FETCH(SSL_C_DER, "ssl_c_der", BIN, SESSION, "")                       \
	FETCH(SSL_C_S_DN, "ssl_c_s_dn", STR, SESSION, "SI")                   \
	FETCH(SSL_C_I_DN, "ssl_c_i_dn", STR, SESSION, "SI")                   \
	FETCH(SSL_C_NOTBEFORE, "ssl_c_notbefore", STR, SESSION, "")           \
	FETCH(SSL_C_NOTAFTER, "ssl_c_notafter", STR, SESSION, "")             \
	FETCH(SSL_C_KEY_ALG, "ssl_c_key_alg", STR, SESSION, "")               \
	FETCH(SSL_C_SIG_ALG, "ssl_c_sig_alg", STR, SESSION, "")               \
	FETCH(SSL_F_VERSION, "ssl_f_version", INT, SESSION, "")               \
	FETCH(SSL_F_SERIAL, "ssl_f_serial", BIN, SESSION, "")                 \
	FETCH(SSL_F_SHA1, "ssl_f_sha1", BIN, SESSION, "")                     \
	FETCH(SSL_F_DER, "ssl_f_der", BIN, SESSION, "")                       \
	FETCH(SSL_F_S_DN, "ssl_f_s_dn", STR, SESSION, "SI")                   \
	FETCH(SSL_F_I_DN, "ssl_f_i_dn", STR, SESSION, "SI")                   \
	FETCH(SSL_F_NOTBEFORE, "ssl_f_notbefore", STR, SESSION, "")           \
	FETCH(SSL_F_NOTAFTER, "ssl_f_notafter", STR, SESSION, "")             \
	FETCH(SSL_F_KEY_ALG, "ssl_f_key_alg", STR, SESSION, "")               \
	FETCH(SSL_F_SIG_ALG, "ssl_f_sig_alg", STR, SESSION, "")               \
	FETCH(SSL_S_VERSION, "ssl_s_version", INT, SERVER, "")                \
	FETCH(SSL_S_SERIAL, "ssl_s_serial", BIN, SERVER, "")                  \
	FETCH(SSL_S_SHA1, "ssl_s_sha1", BIN, SERVER, "")                      \
	FETCH(SSL_S_DER, "ssl_s_der", BIN, SERVER, "")                        \
	FETCH(SSL_S_S_DN, "ssl_s_s_dn", STR, SERVER, "SI")                    \
	FETCH(SSL_S_I_DN, "ssl_s_i_dn", STR, SERVER, "SI")                    \
	FETCH(SSL_S_NOTBEFORE, "ssl_s_notbefore", STR, SERVER, "")            \
	FETCH(SSL_S_NOTAFTER, "ssl_s_notafter", STR, SERVER, "")              \
	FETCH(SSL_S_KEY_ALG, "ssl_s_key_alg", STR, SERVER, "")                \
	FETCH(SSL_S_SIG_ALG, "ssl_s_sig_alg", STR, SERVER, "")                \
	FETCH(REQ_LEN, "req.len", INT, REQUEST, "")                           \
	FETCH(REQ_PAYLOAD, "req.payload", BIN, REQUEST, "ii")                 \
	FETCH(REQ_PAYLOAD_LV, "req.payload_lv", BIN, REQUEST, "iiS")          \
	FETCH(REQ_PROTO_HTTP, "req.proto_http", BOOL, REQUEST, "")            \
	FETCH(REQ_RDP_COOKIE, "req.rdp_cookie", STR, REQUEST, "S")            \
	FETCH(REQ_RDP_COOKIE_CNT, "req.rdp_cookie_cnt", INT, REQUEST, "S")    \
	FETCH(REQ_SSL_HELLO_TYPE, "req.ssl_hello_type", INT, REQUEST, "")     \
	FETCH(REQ_SSL_SNI, "req.ssl_sni", STR, REQUEST, "")                   \
	FETCH(REQ_SSL_ALPN, "req.ssl_alpn", STR, REQUEST, "")                 \
	FETCH(REQ_SSL_VER, "req.ssl_ver", INT, REQUEST, "")                   \
	FETCH(REQ_SSL_EC_EXT, "req.ssl_ec_ext", BOOL, REQUEST, "")            \
	FETCH(REQ_SSL_ST_EXT, "req.ssl_st_ext", INT, REQUEST, "")             \
	FETCH(RES_LEN, "res.len", INT, RESPONSE, "")                          \
	FETCH(RES_PAYLOAD, "res.payload", BIN, RESPONSE, "ii")                \
	FETCH(RES_PAYLOAD_LV, "res.payload_lv", BIN, RESPONSE, "iiS")         \
	FETCH(RES_SSL_HELLO_TYPE, "res.ssl_hello_type", INT, RESPONSE, "")    \
	FETCH(WAIT_END, "wait_end", BOOL, 0, "")

/* ALIAS(name, id): other names of fetches. */
#define CONF_FETCH_ALIASES(ALIAS)                       \
	ALIAS("req_len", REQ_LEN)                       \
	ALIAS("payload", REQ_PAYLOAD)                   \
	ALIAS("payload_lv", REQ_PAYLOAD_LV)             \
	ALIAS("req_proto_http", REQ_PROTO_HTTP)         \
	ALIAS("rdp_cookie", REQ_RDP_COOKIE)             \
	ALIAS("req_rdp_cookie", REQ_RDP_COOKIE)         \
	ALIAS("rdp_cookie_cnt", REQ_RDP_COOKIE_CNT)     \
	ALIAS("req_rdp_cookie_cnt", REQ_RDP_COOKIE_CNT) \
	ALIAS("req_ssl_hello_type", REQ_SSL_HELLO_TYPE) \
	ALIAS("req_ssl_sni", REQ_SSL_SNI)               \
	ALIAS("req_ssl_ver", REQ_SSL_VER)               \
	ALIAS("res_len", RES_LEN)                       \
	ALIAS("rep_ssl_hello_type", RES_SSL_HELLO_TYPE)

/*
 * CONVERT(id, name, takes, gives, arguments).  ANY gives what it takes.  Hashes are first, then what
 * writes bytes as other bytes.
 */
#define CONF_CONVERTERS(CONVERT)                                \
	CONVERT(CRC32, "crc32", BIN, INT, "I")                  \
	CONVERT(CRC32C, "crc32c", BIN, INT, "I")                \
	CONVERT(WT6, "wt6", BIN, INT, "I")                      \
	CONVERT(DJB2, "djb2", BIN, INT, "I")                    \
	CONVERT(SDBM, "sdbm", BIN, INT, "I")                    \
	CONVERT(SHA1, "sha1", BIN, BIN, "")                     \
	CONVERT(SHA2, "sha2", BIN, BIN, "I")                    \
	CONVERT(XXH32, "xxh32", BIN, INT, "I")                  \
	CONVERT(XXH64, "xxh64", BIN, INT, "I")                  \
	CONVERT(XXH3, "xxh3", BIN, INT, "I")                    \
	CONVERT(DIGEST, "digest", BIN, BIN, "s")                \
	CONVERT(HMAC, "hmac", BIN, BIN, "sk")                   \
	CONVERT(HEX, "hex", BIN, STR, "")                       \
	CONVERT(HEX2I, "hex2i", STR, INT, "")                   \
	CONVERT(BASE64, "base64", BIN, STR, "")                 \
	CONVERT(B64DEC, "b64dec", STR, BIN, "")                 \
	CONVERT(UB64ENC, "ub64enc", BIN, STR, "")               \
	CONVERT(HTONL, "htonl", INT, BIN, "")                   \
	CONVERT(UB64DEC, "ub64dec", STR, BIN, "")               \
	CONVERT(URL_ENC, "url_enc", STR, STR, "S")              \
	CONVERT(URL_DEC, "url_dec", STR, STR, "I")              \
	CONVERT(BE2DEC, "be2dec", BIN, STR, "siI")              \
	CONVERT(MQTT_IS_VALID, "mqtt_is_valid", BIN, BOOL, "")  \
	CONVERT(MQTT_FIELD, "mqtt_field_value", BIN, BIN, "ss") \
	CONVERT(JSON, "json", STR, STR, "S")                    \
	CONVERT(BE2HEX, "be2hex", BIN, STR, "SII")              \
	CONVERT(ADD_ITEM, "add_item", STR, STR, "sVS")          \
	CONVERT(SRV_QUEUE, "srv_queue", STR, INT, "")           \
	CONVERT(LOWER, "lower", STR, STR, "")                   \
	CONVERT(UPPER, "upper", STR, STR, "")                   \
	CONVERT(LENGTH, "length", STR, INT, "")                 \
	CONVERT(IPMASK, "ipmask", IP, IP, "sS")                 \
	CONVERT(FIELD, "field", STR, STR, "isI")                \
	CONVERT(WORD, "word", STR, STR, "isI")                  \
	CONVERT(BYTES, "bytes", BIN, BIN, "iI")                 \
	CONVERT(CONCAT, "concat", STR, STR, "SVS")              \
	CONVERT(LTRIM, "ltrim", STR, STR, "s")                  \
	CONVERT(RTRIM, "rtrim", STR, STR, "s")                  \
	CONVERT(CUT_CRLF, "cut_crlf", STR, STR, "")             \
	CONVERT(LTIME, "ltime", INT, STR, "sI")                 \
	CONVERT(UTIME, "utime", INT, STR, "sI")                 \
	CONVERT(STRCMP, "strcmp", STR, INT, "v")                \
	CONVERT(IIF, "iif", BOOL, STR, "ss")                    \
	CONVERT(BOOL, "bool", INT, BOOL, "")                    \
	CONVERT(NOT, "not", INT, BOOL, "")                      \
	CONVERT(ODD, "odd", INT, BOOL, "")                      \
	CONVERT(EVEN, "even", INT, BOOL, "")                    \
	CONVERT(NEG, "neg", INT, INT, "")                       \
	CONVERT(CPL, "cpl", INT, INT, "")                       \
	CONVERT(ADD, "add", INT, INT, "m")                      \
	CONVERT(SUB, "sub", INT, INT, "m")                      \
	CONVERT(MUL, "mul", INT, INT, "m")                      \
	CONVERT(DIV, "div", INT, INT, "m")                      \
	CONVERT(MOD, "mod", INT, INT, "m")                      \
	CONVERT(AND, "and", INT, INT, "m")                      \
	CONVERT(OR, "or", INT, INT, "m")                        \
	CONVERT(XOR, "xor", INT, INT, "m")                      \
	CONVERT(NBSRV, "nbsrv", STR, INT, "")                   \
	CONVERT(SET_VAR, "set-var", ANY, ANY, "vC")             \
	CONVERT(UNSET_VAR, "unset-var", ANY, ANY, "v")          \
	CONVERT(CAPTURE_REQ, "capture-req", STR, STR, "i")      \
	CONVERT(CAPTURE_RES, "capture-res", STR, STR, "i")      \
	CONVERT(SECURE_MEMCMP, "secure_memcmp", STR, BOOL, "v") \
	CONVERT(MAP, "map", STR, STR, "sS")                     \
	CONVERT(REGSUB, "regsub", STR, STR, "ssS")

/* DIGEST(name, OpenSSL's function): algorithms of digest and hmac. */
#define CONF_DIGESTS(DIGEST)                 \
	DIGEST("md5", EVP_md5)               \
	DIGEST("sha1", EVP_sha1)             \
	DIGEST("sha224", EVP_sha224)         \
	DIGEST("sha256", EVP_sha256)         \
	DIGEST("sha384", EVP_sha384)         \
	DIGEST("sha512", EVP_sha512)         \
	DIGEST("sha512-224", EVP_sha512_224) \
	DIGEST("sha512-256", EVP_sha512_256) \
	DIGEST("sha3-224", EVP_sha3_224)     \
	DIGEST("sha3-256", EVP_sha3_256)     \
	DIGEST("sha3-384", EVP_sha3_384)     \
	DIGEST("sha3-512", EVP_sha3_512)     \
	DIGEST("blake2s256", EVP_blake2s256) \
	DIGEST("blake2b512", EVP_blake2b512)

/* FIELD(id, name): what a log format's %name stands for. */
#define CONF_FIELDS(FIELD)              \
	FIELD(BYTES, "B")               \
	FIELD(HOSTNAME, "H")            \
	FIELD(UNIQUE_ID, "ID")          \
	FIELD(STATUS, "ST")             \
	FIELD(DATE_GMT, "T")            \
	FIELD(TIME_CONNECT, "Tc")       \
	FIELD(TIME_DATA, "Td")          \
	FIELD(TIME_HANDSHAKE, "Th")     \
	FIELD(DATE_LOCAL, "Tl")         \
	FIELD(TIMESTAMP, "Ts")          \
	FIELD(TIME_TOTAL, "Tt")         \
	FIELD(TIME_USER, "Tu")          \
	FIELD(TIME_WAIT, "Tw")          \
	FIELD(BYTES_UP, "U")            \
	FIELD(ACTCONN, "ac")            \
	FIELD(BACKEND, "b")             \
	FIELD(BECONN, "bc")             \
	FIELD(BACKEND_IP, "bi")         \
	FIELD(BACKEND_PORT, "bp")       \
	FIELD(BACKEND_QUEUE, "bq")      \
	FIELD(CLIENT_IP, "ci")          \
	FIELD(CLIENT_PORT, "cp")        \
	FIELD(FRONTEND, "f")            \
	FIELD(FECONN, "fc")             \
	FIELD(FRONTEND_IP, "fi")        \
	FIELD(FRONTEND_PORT, "fp")      \
	FIELD(FRONTEND_TRANSPORT, "ft") \
	FIELD(REQUEST_CAPTURES, "hr")   \
	FIELD(REQUEST_LIST, "hrl")      \
	FIELD(RESPONSE_CAPTURES, "hs")  \
	FIELD(RESPONSE_LIST, "hsl")     \
	FIELD(LOG_COUNTER, "lc")        \
	FIELD(MILLISECONDS, "ms")       \
	FIELD(PID, "pid")               \
	FIELD(RETRIES, "rc")            \
	FIELD(REQUEST_COUNTER, "rt")    \
	FIELD(SERVER, "s")              \
	FIELD(SRVCONN, "sc")            \
	FIELD(SERVER_IP, "si")          \
	FIELD(SERVER_PORT, "sp")        \
	FIELD(SERVER_QUEUE, "sq")       \
	FIELD(TLS_CIPHER, "sslc")       \
	FIELD(TLS_VERSION, "sslv")      \
	FIELD(DATE, "t")                \
	FIELD(STATE, "ts")              \
	FIELD(STATE_COOKIE, "tsc")

enum conf_fetch {
#define FETCH(id, name, type, needs, args) CONF_FETCH_##id,
	CONF_FETCHES(FETCH)
#undef FETCH
};

enum conf_converter {
#define CONVERT(id, name, takes, gives, args) CONF_CONVERT_##id,
	CONF_CONVERTERS(CONVERT)
#undef CONVERT
		CONF_CONVERT_LAST_HASH = CONF_CONVERT_HMAC,
	CONF_CONVERT_LAST_CODE = CONF_CONVERT_BE2HEX,
};

enum conf_field {
	CONF_FIELD_TEXT,
	CONF_FIELD_EXPR,
#define FIELD(id, name) CONF_FIELD_##id,
	CONF_FIELDS(FIELD)
#undef FIELD
};
