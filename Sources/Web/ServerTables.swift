import CWebSockets
import Glibc

/// The C structures that the library reads as long as a server's context lives.
final class ServerTables {
    let anchor = UnsafeMutablePointer<slipstream_anchor>.allocate(capacity: 1)
    private let configuration: WebServerConfiguration
    private let protocols = UnsafeMutablePointer<lws_protocols>.allocate(capacity: 3)
    private let policy = UnsafeMutablePointer<lws_retry_bo_t>.allocate(capacity: 1)
    private let names: [UnsafeMutablePointer<CChar>?] = ["web", "malformed", "raw-skt"].map { (name: String) in
        strdup(name)
    }
    private let host: UnsafeMutablePointer<CChar>?

    init(_ configuration: WebServerConfiguration) {
        self.configuration = configuration
        host = configuration.host == "0.0.0.0" || configuration.host == "::" ? nil : strdup(configuration.host)
        anchor.initialize(to: slipstream_anchor())
        policy.initialize(to: lws_retry_bo_t())
        policy.pointee.secs_since_valid_ping = UInt16(configuration.pingSeconds)
        policy.pointee.secs_since_valid_hangup = UInt16(configuration.pingSeconds * 2)
        protocols.initialize(repeating: lws_protocols(), count: 3)
        protocols[0].name = UnsafePointer(names[0])
        protocols[0].callback = serverCallback
        protocols[0].rx_buffer_size = 4 << 10  // Held by each WebSocket as long as it lives.
        protocols[0].tx_packet_size = 1 << 30  // Otherwise a send is cut at the size of the receive buffer.
        protocols[1].name = UnsafePointer(names[1])
        protocols[1].callback = malformedCallback
        protocols[1].rx_buffer_size = 4 << 10
    }

    deinit {
        anchor.deallocate()
        policy.deallocate()
        protocols.deallocate()
        for name in names { free(name) }
        free(host)
    }

    func makeContext() -> OpaquePointer? {
        var info = lws_context_creation_info()
        info.options = slipstream_server_options()
        info.user = UnsafeMutableRawPointer(anchor)
        info.pt_serv_buf_size = 64 << 10  // One per context: what a single read takes.
        info.max_http_header_data2 = UInt32(configuration.maxHeaderBytes)
        info.gid = -1
        info.uid = -1
        return lws_create_context(&info)
    }

    func makeListener(in context: OpaquePointer) -> OpaquePointer? {
        var info = lws_context_creation_info()
        info.options = slipstream_server_options()
        if !configuration.host.contains(":") { info.options |= slipstream_disable_ipv6() }
        info.port = Int32(configuration.port)
        info.iface = UnsafePointer(host)
        info.protocols = UnsafePointer(protocols)
        info.vhost_name = UnsafePointer(names[0])
        // What does not begin like HTTP is handed to the second protocol, which answers 400.
        info.listen_accept_role = UnsafePointer(names[2])
        info.listen_accept_protocol = UnsafePointer(names[1])
        info.timeout_secs = UInt32(configuration.readTimeoutSeconds)
        info.timeout_secs_ah_idle = UInt32(configuration.readTimeoutSeconds)
        info.keepalive_timeout = Int32(configuration.keepAliveSeconds)
        info.retry_and_idle_policy = UnsafePointer(policy)
        return lws_create_vhost(context, &info)
    }
}
