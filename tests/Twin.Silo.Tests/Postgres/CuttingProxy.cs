using System.Net.Sockets;

namespace Twin.Silo.Tests.Postgres;

/// <summary>Where a connection is cut: the server has not got the commit, or has carried it out.</summary>
internal enum Cut { BeforeCommit, BehindCommit }

/// <summary>
/// Stands between journal and server on Unix sockets and cuts a connection at its next commits. What is behind the cut
/// is decided when it falls: the answer has come, or the commit was not sent.
/// </summary>
internal sealed class CuttingProxy : IDisposable
{
    private const string Name = ".s.PGSQL.5432";
    private readonly string _folder = Directory.CreateTempSubdirectory("metertwin-proxy-").FullName;
    private readonly string _server;
    private readonly Socket _door = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Lock _gate = new();
    private (Cut Where, int Times, bool ThenRefuse) _armed;
    private bool _refuses;

    public CuttingProxy(string serverSocket)
    {
        _server = Path.Combine(serverSocket, Name);
        _door.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, Name)));
        _door.Listen();
        new Thread(Accept) { IsBackground = true, Name = "proxy" }.Start();
    }

    public int Cuts { get; private set; }

    /// <summary>A connection string that goes through here.</summary>
    public string Through(string database) => "Host=" + _folder + database[database.IndexOf(';')..];

    public void Arm(Cut where, int times, bool thenRefuse = false)
    {
        lock (_gate) _armed = (where, times, thenRefuse);
    }

    public void Heal()
    {
        lock (_gate) _refuses = false;
    }

    private void Accept()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = _door.Accept();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            bool refuses;
            lock (_gate) refuses = _refuses;
            if (refuses) client.Dispose();
            else new Thread(() => Serve(client)) { IsBackground = true, Name = "proxy" }.Start();
        }
    }

    private void Serve(Socket client)
    {
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (client)
        {
            try
            {
                server.Connect(new UnixDomainSocketEndPoint(_server));
                var back = new Thread(() => Answers(server, client)) { IsBackground = true, Name = "proxy" };
                back.Start();
                Requests(client, server, back);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
            }
        }
    }

    private volatile Socket? _muted;

    private void Requests(Socket client, Socket server, Thread back)
    {
        var buffer = new byte[64 * 1024];
        while (client.Receive(buffer) is var n and > 0)
        {
            var bytes = buffer.AsSpan(0, n);
            // The statement, not the "READ COMMITTED" of a beginning.
            if (bytes.IndexOf("COMMIT\0"u8) >= 0 && Falls() is { } where)
            {
                if (where == Cut.BehindCommit)
                {
                    _muted = client;
                    server.Send(bytes);
                    // The server closes when it has answered: it is told that nothing more comes.
                    server.Shutdown(SocketShutdown.Send);
                    back.Join();
                    _muted = null;
                }
                client.Close();
                return;
            }
            server.Send(bytes);
        }
    }

    private Cut? Falls()
    {
        lock (_gate)
        {
            if (_armed.Times == 0) return null;
            Cuts++;
            _armed.Times--;
            if (_armed.Times == 0) _refuses = _armed.ThenRefuse;
            return _armed.Where;
        }
    }

    private void Answers(Socket server, Socket client)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (server.Receive(buffer) is var n and > 0)
                if (_muted != client) client.Send(buffer.AsSpan(0, n));
            client.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    public void Dispose()
    {
        _door.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
