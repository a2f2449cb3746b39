import CWebSockets
import Glibc

/// The life of a connection as a WebSocket.
extension ServerConnection {
    /// - Returns: 0 to go on, 1 when the upgrade was refused with an answer.
    func upgradeAsked(for name: String) -> Int32 {
        let reader = HeaderReader(wsi: wsi)
        let path = reader.methodAndPath()?.path ?? ""
        guard name.lowercased() == "websocket" else {
            return refuseUpgrade(.failure(400, "bad_request", "the only upgrade known here is websocket"))
        }
        guard server.configuration.webSocketPaths.contains(path) else {
            return refuseUpgrade(.failure(404, "not_found", "there is no WebSocket here"))
        }
        upgrade = (path, reader.query())
        return 0
    }

    func socketOpened() -> Int32 {
        guard let upgrade else { return -1 }
        self.upgrade = nil
        let fd = lws_get_socket_fd(wsi)
        setNoDelay(fd)
        // The library has cut the buffer down to the size of its own receive buffer.
        setSendBuffer(fd, bytes: server.configuration.sendBufferBytes)
        let socket = ServerSocket(
            id: server.nextID(), path: upgrade.path, query: upgrade.query, peer: HeaderReader(wsi: wsi).peer(),
            wsi: wsi)
        self.socket = socket
        server.sockets[socket.id] = socket
        server.handler.opened(socket)
        return 0
    }

    func messagePieceArrived(_ piece: UnsafeRawBufferPointer) -> Int32 {
        guard let socket, socket.closing == nil else { return 0 }
        let isLast = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0
        let outcome = assembler.add(
            piece, isFirst: lws_is_first_fragment(wsi) != 0, isLast: isLast, isText: lws_frame_is_binary(wsi) == 0
        ) { message, isText in
            server.handler.received(message, isText: isText, on: socket)
        }
        guard case .tooLarge = outcome else { return 0 }
        socket.close(code: 1009, reason: "a message may have \(assembler.limit) bytes")
        return 0
    }

    func socketWritable() -> Int32 {
        guard let socket else { return -1 }
        guard socket.closing == nil else { return socket.sayGoodbye() }
        server.handler.writable(socket)
        return 0
    }

    /// - Returns: -1 when this answers our goodbye and nothing is left to say, 0 to have the library answer.
    func goodbyeArrived() -> Int32 {
        socket?.hasSaidGoodbye == true ? -1 : 0
    }

    /// Tells the handler, once.
    func socketClosed() {
        guard let socket else { return }
        self.socket = nil
        server.sockets[socket.id] = nil
        socket.end()
        server.handler.closed(socket)
    }

    private func refuseUpgrade(_ response: HTTPResponse) -> Int32 {
        var bytes = response.head(closes: true) + response.body
        lws_write(wsi, &bytes, bytes.count, LWS_WRITE_HTTP_FINAL)
        return 1
    }
}
