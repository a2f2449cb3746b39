import CWebSockets
import Glibc

/// The C structures that the library reads as long as a client's context lives.
final class ClientTables {
    let anchor = UnsafeMutablePointer<slipstream_anchor>.allocate(capacity: 1)
    private let protocols = UnsafeMutablePointer<lws_protocols>.allocate(capacity: 2)
    private let policy = UnsafeMutablePointer<lws_retry_bo_t>.allocate(capacity: 1)
    private let name = strdup("web")

    init() {
        anchor.initialize(to: slipstream_anchor())
        policy.initialize(to: lws_retry_bo_t())
        policy.pointee.secs_since_valid_ping = 20
        policy.pointee.secs_since_valid_hangup = 40
        protocols.initialize(repeating: lws_protocols(), count: 2)
        protocols[0].name = UnsafePointer(name)
        protocols[0].callback = clientCallback
        protocols[0].rx_buffer_size = 16 << 10
        protocols[0].tx_packet_size = 1 << 30  // Otherwise a send is cut at the size of the receive buffer.
    }

    deinit {
        anchor.deallocate()
        protocols.deallocate()
        policy.deallocate()
        free(name)
    }

    func makeContext() -> OpaquePointer? {
        var info = lws_context_creation_info()
        info.options = slipstream_client_options()
        info.port = CONTEXT_PORT_NO_LISTEN
        info.user = UnsafeMutableRawPointer(anchor)
        info.pt_serv_buf_size = 64 << 10
        info.max_http_header_data2 = 8 << 10
        info.gid = -1
        info.uid = -1
        return lws_create_context(&info)
    }

    func makeVhost(in context: OpaquePointer) -> OpaquePointer? {
        var info = lws_context_creation_info()
        info.options = slipstream_client_options()
        info.port = CONTEXT_PORT_NO_LISTEN
        info.protocols = UnsafePointer(protocols)
        info.vhost_name = UnsafePointer(name)
        return lws_create_vhost(context, &info)
    }

    /// Begins to connect. Events may already come during the call.
    func connect(_ slot: ClientSlot, in context: OpaquePointer, _ vhost: OpaquePointer) -> OpaquePointer? {
        let endpoint = slot.connection.endpoint
        let texts = [endpoint.host, endpoint.path, endpoint.description, slot.connection.method ?? ""]
            .map { (text: String) in strdup(text) }
        defer { for text in texts { free(text) } }
        var info = lws_client_connect_info()
        info.context = context
        info.vhost = vhost
        info.address = UnsafePointer(texts[0])
        info.port = Int32(endpoint.port)
        info.path = UnsafePointer(texts[1])
        info.host = UnsafePointer(texts[2])
        info.method = slot.connection.method == nil ? nil : UnsafePointer(texts[3])
        // Without it the library binds no protocol to a request and keeps the response's body to itself.
        info.local_protocol_name = UnsafePointer(name)
        info.ssl_connection = Int32(LCCSCF_HTTP_NO_FOLLOW_REDIRECT.rawValue)
        info.retry_and_idle_policy = UnsafePointer(policy)
        info.opaque_user_data = Unmanaged.passUnretained(slot).toOpaque()
        return lws_client_connect_via_info(&info)
    }
}
