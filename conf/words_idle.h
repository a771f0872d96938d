/*
 * words_idle.h - words of keepalived's that have nothing to do here, and why.
 *
 * A user's file keeps them, and each is answered with its reason, once.  What would show from
 * outside (who holds an address, what can be reached) is answered with a warning instead.
 */
#pragma once

#include "conf/table.h"

/* clang-format off */
#define IDLE(word, reason)                                                                         \
	{                                                                                          \
		word, CONF_TYPE_NOTICE, .doc = reason                                              \
	}
#define IDLE_LOUD(word, reason)                                                                    \
	{                                                                                          \
		word, CONF_TYPE_NOTICE, .flags = ROW_LOUD, .doc = reason                           \
	}

#define IDLE_MAIL     "no mail is sent: let a `notify` script send it"
#define IDLE_IPVS     "IPVS is not used"
#define IDLE_FIREWALL "the rules of `no_accept` are in nftables, in tables of their own"
#define IDLE_REALTIME "the VRRP thread always has a real-time priority (`vrrp_rt_priority`)"
#define IDLE_RTTIME   "a worker that does not wait any more is replaced (`watchdog`)"
#define IDLE_NAME     "processes are called by their role"
#define IDLE_BUFFERS  "the kernel's own sizes of socket buffers are used"
#define IDLE_SNMP     "there is no SNMP: use `tandem status`"
#define IDLE_PROGRAM  "it is not run: let the service manager do it (ExecStartPre, ExecStopPost)"

#define GLOBAL_DEFS_IDLE_ROWS                                                                      \
	IDLE("notification_email", IDLE_MAIL), IDLE("notification_email_from", IDLE_MAIL),         \
	IDLE("smtp_server", IDLE_MAIL), IDLE("smtp_connect_timeout", IDLE_MAIL),                   \
	IDLE("smtp_helo_name", IDLE_MAIL), IDLE("smtp_alert", IDLE_MAIL),                          \
	IDLE("smtp_alert_vrrp", IDLE_MAIL), IDLE("smtp_alert_checker", IDLE_MAIL),                 \
	IDLE("no_email_faults", IDLE_MAIL), IDLE("no_checker_emails", IDLE_MAIL),                  \
	IDLE("garp_master_delay", "the default is called `vrrp_garp_master_delay`"),               \
	IDLE("garp_master_repeat", "the default is called `vrrp_garp_master_repeat`"),             \
	IDLE("garp_master_refresh", "the default is called `vrrp_garp_master_refresh`"),           \
	IDLE("vrrp_check_unicast_src", "unicast packets are always checked against the peers"),    \
	IDLE("log_unknown_vrids", "packets for other routers are counted in `tandem status`"),     \
	IDLE("vrrp_priority", IDLE_REALTIME),\
	IDLE("vrrp_rlimit_rttime", IDLE_RTTIME), IDLE("vrrp_rlimit_rtime", IDLE_RTTIME),       \
	IDLE("max_auto_priority", IDLE_REALTIME), IDLE("min_auto_priority_delay", IDLE_REALTIME),  \
	IDLE("checker_priority", IDLE_IPVS), IDLE("checker_rt_priority", IDLE_IPVS),               \
	IDLE("checker_rlimit_rttime", IDLE_IPVS), IDLE("checker_rlimit_rtime", IDLE_IPVS),         \
	IDLE("checker_no_swap", IDLE_IPVS), IDLE("checker_cpu_affinity", IDLE_IPVS),               \
	IDLE("checker_log_all_failures", IDLE_IPVS), IDLE("rs_init_notifies", IDLE_IPVS),          \
	IDLE("bfd_priority", "there is no BFD"), IDLE("bfd_rt_priority", "there is no BFD"),       \
	IDLE("bfd_rlimit_rttime", "there is no BFD"), IDLE("bfd_rlimit_rtime", "there is no BFD"), \
	IDLE("bfd_no_swap", "there is no BFD"), IDLE("bfd_cpu_affinity", "there is no BFD"),       \
	IDLE("vrrp_iptables", IDLE_FIREWALL), IDLE("vrrp_ipsets", IDLE_FIREWALL),                  \
	IDLE("vrrp_nftables", IDLE_FIREWALL), IDLE("nftables", IDLE_FIREWALL),                     \
	IDLE("nftables_priority", IDLE_FIREWALL), IDLE("nftables_counters", IDLE_FIREWALL),        \
	IDLE("nftables_ifindex", IDLE_FIREWALL), IDLE("nftables_ipvs", IDLE_FIREWALL),             \
	IDLE("nftables_ipvs_priority", IDLE_FIREWALL),                                             \
	IDLE("nftables_ipvs_start_fwmark", IDLE_FIREWALL),                                         \
	IDLE("disable_local_igmp", "the kernel reports the groups it has joined"),                 \
	IDLE("lvs_sync_daemon", IDLE_IPVS), IDLE("lvs_timeouts", IDLE_IPVS),                       \
	IDLE("lvs_flush", IDLE_IPVS), IDLE("lvs_flush_on_stop", IDLE_IPVS),                        \
	IDLE("lvs_flush_onstop", IDLE_IPVS), IDLE("lvs_id", "the node is called by `router_id`"),  \
	IDLE("lvs_notify_fifo", IDLE_IPVS), IDLE("lvs_notify_fifo_script", IDLE_IPVS),             \
	IDLE("lvs_netlink_cmd_rcv_bufs", IDLE_IPVS),                                               \
	IDLE("lvs_netlink_cmd_rcv_bufs_force", IDLE_IPVS),                                         \
	IDLE("lvs_netlink_monitor_rcv_bufs", IDLE_IPVS),                                           \
	IDLE("lvs_netlink_monitor_rcv_bufs_force", IDLE_IPVS),                                     \
	IDLE("vrrp_netlink_cmd_rcv_bufs", IDLE_BUFFERS),                                           \
	IDLE("vrrp_netlink_cmd_rcv_bufs_force", IDLE_BUFFERS),                                     \
	IDLE("vrrp_netlink_monitor_rcv_bufs", IDLE_BUFFERS),                                       \
	IDLE("vrrp_netlink_monitor_rcv_bufs_force", IDLE_BUFFERS),                                 \
	IDLE("process_monitor_rcv_bufs", IDLE_BUFFERS),                                            \
	IDLE("process_monitor_rcv_bufs_force", IDLE_BUFFERS),                                      \
	IDLE("vrrp_rx_bufs_policy", IDLE_BUFFERS), IDLE("vrrp_rx_bufs_multiplier", IDLE_BUFFERS),  \
	IDLE("process_names", IDLE_NAME), IDLE("process_name", IDLE_NAME),                         \
	IDLE("vrrp_process_name", IDLE_NAME), IDLE("checker_process_name", IDLE_NAME),             \
	IDLE("lvs_process_name", IDLE_NAME), IDLE("bfd_process_name", IDLE_NAME),                  \
	IDLE("use_symlink_paths", "scripts run as they are written"),                              \
	IDLE("dynamic_interfaces", "an interface may always appear later"),                        \
	IDLE("enable_traps", IDLE_SNMP), IDLE("enable_snmp_keepalived", IDLE_SNMP),                \
	IDLE("enable_snmp_vrrp", IDLE_SNMP), IDLE("enable_snmp_checker", IDLE_SNMP),               \
	IDLE("enable_snmp_rfc", IDLE_SNMP), IDLE("enable_snmp_rfcv2", IDLE_SNMP),                  \
	IDLE("enable_snmp_rfcv3", IDLE_SNMP), IDLE("snmp_socket", IDLE_SNMP),                      \
	IDLE("enable_dbus", "there is no D-Bus interface: use `tandem status`"),                   \
	IDLE("dbus_service_name", "there is no D-Bus interface: use `tandem status`"),             \
	IDLE("dbus_no_interface_name", "there is no D-Bus interface: use `tandem status`"),        \
	IDLE_LOUD("startup_script", IDLE_PROGRAM), IDLE("startup_script_timeout", IDLE_PROGRAM),   \
	IDLE_LOUD("shutdown_script", IDLE_PROGRAM), IDLE("shutdown_script_timeout", IDLE_PROGRAM), \
	IDLE("shutdown_script_on_exit", IDLE_PROGRAM),                                             \
	IDLE("fifo_write_vrrp_states_on_reload", "the FIFOs are told of changes only"),            \
	IDLE("tmp_config_directory", "the worker reads the very bytes the guardian has read"),     \
	IDLE("use_disk_copy_for_config", "the worker reads the very bytes the guardian has read"), \
	IDLE("config_save_dir", "`-dump` prints the configuration"),                               \
	IDLE("data_use_instance", "state is shown by `tandem status`"),                            \
	IDLE("state_dump_file", "state is shown by `tandem status`"),                              \
	IDLE("stats_dump_file", "state is shown by `tandem status`"),                              \
	IDLE("json_dump_file", "state is shown by `tandem status --json`"),                        \
	IDLE("json_version", "state is shown by `tandem status --json`"),                          \
	IDLE("reload_check_config", "a configuration is always checked before it is used"),        \
	IDLE("reload_time_file", "let a timer of the system ask for it"),                          \
	IDLE("reload_repeat", "let a timer of the system ask for it"),                             \
	IDLE("reload_file", "files are read at once"),                                             \
	IDLE("include_check", "`includea` and its kin say it for one file"),                       \
	IDLE("umask", "scripts run with the mask 0177, which is keepalived's own"),                \
	IDLE("child_wait_time", "stopping has a time limit of its own"),                           \
	IDLE("linkbeat_use_polling", "the kernel reports link changes")

#define IDLE_BFD "there is no BFD: it causes no fail-over"

#define GROUP_IDLE_ROWS                                                                            \
	IDLE("smtp_alert", IDLE_MAIL), IDLE_LOUD("track_bfd", IDLE_BFD),                           \
	IDLE("notify_deleted", "groups come and go only with the daemon, which is a STOP")

#define INSTANCE_IDLE_ROWS                                                                         \
	IDLE("lvs_sync_daemon_interface", IDLE_IPVS ", connections end in the proxy"),             \
	IDLE("lvs_sync_daemon_inteface", IDLE_IPVS ", connections end in the proxy"),              \
	IDLE("lvs_sync_daemon", IDLE_IPVS ", connections end in the proxy"),                       \
	IDLE("smtp_alert", IDLE_MAIL),                                                             \
	IDLE("debug", "-d shows everything"),                                                      \
	IDLE("promote_secondaries", "always set on the interfaces in use"),                        \
	IDLE("check_unicast_src", "unicast packets are always checked against the peers"),         \
	IDLE("unicast_fault_no_peer", "without unicast_peer an instance uses multicast"),          \
	IDLE("kernel_rx_buf_size", IDLE_BUFFERS),                                                  \
	IDLE("linkbeat_use_polling", "the kernel reports link changes"),                           \
	IDLE_LOUD("track_bfd", IDLE_BFD),                         \
	IDLE("track_src_ip", "an instance without its `unicast_src_ip` is always FAULT"),          \
	IDLE_LOUD("use_ipvlan", "the interface itself is used (`use_vmac` makes one of its own)")
/* clang-format on */
