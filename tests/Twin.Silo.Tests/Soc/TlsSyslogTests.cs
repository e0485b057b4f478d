using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Twin.Silo.Soc;

namespace Twin.Silo.Tests.Soc;

/// <summary>Syslog over TLS against a receiver with a certificate of its own authority.</summary>
public sealed class TlsSyslogTests : IDisposable
{
    private readonly TestDirectory _directory = new();
    private readonly X509Certificate2 _authority = Certificates.Authority("CN=Right");

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    private string Pem(X509Certificate2 of)
    {
        var file = _directory.Sub("authority.pem");
        File.WriteAllText(file, of.ExportCertificatePem());
        return file;
    }

    /// <summary>Takes one connection to its end, and one more that only looks whether it is there.</summary>
    private static async Task<string> Receive(TcpListener listener, X509Certificate2 certificate)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(certificate);
        using var all = new MemoryStream();
        await tls.CopyToAsync(all);
        await tls.ShutdownAsync();
        client.Client.Shutdown(SocketShutdown.Send);
        using var look = await listener.AcceptTcpClientAsync();
        return Encoding.UTF8.GetString(all.ToArray());
    }

    private static (SocDispatcher Dispatcher, ListLedger Ledger) To(TcpListener listener, string? authority)
    {
        var ledger = new ListLedger();
        for (var i = 1; i <= 3; i++) ledger.Add(Samples.Report(Samples.Finding(sentence: $"finding {i}")));
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return (new SocDispatcher("tls", new SyslogSink(new SyslogTarget(SyslogTransport.Tls, "localhost", port,
            SocFormat.Text, 32473, authority), "test"), ledger, TimeProvider.System, 1), ledger);
    }

    private static TcpListener Listener()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    [Fact]
    public async Task Messages_arrive_framed_and_whole()
    {
        using var certificate = Certificates.Server(_authority, "localhost");
        using var listener = Listener();
        var receiving = Receive(listener, certificate);
        var (dispatcher, ledger) = To(listener, Pem(_authority));
        Assert.True(await dispatcher.Step(default));
        var text = await receiving;
        Assert.Equal(3, ledger.Cursor("sink/tls"));
        for (var i = 1; i <= 3; i++)
        {
            var length = int.Parse(text.AsSpan(0, text.IndexOf(' ')));
            text = text[(text.IndexOf(' ') + 1)..];
            var message = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text).AsSpan(0, length));
            Assert.StartsWith("<107>1 ", message);
            Assert.EndsWith($"\uFEFFfinding {i}", message);
            text = text[message.Length..];
        }
        Assert.Equal("", text);
    }

    [Theory]
    [InlineData(true, "elsewhere.example")]
    [InlineData(false, "localhost")]
    public async Task A_receiver_that_cannot_prove_its_name_gets_nothing(bool isRight, string host)
    {
        using var other = Certificates.Authority("CN=Other");
        using var certificate = Certificates.Server(isRight ? _authority : other, host);
        using var listener = Listener();
        var receiving = Receive(listener, certificate);
        var (dispatcher, ledger) = To(listener, Pem(_authority));
        await Assert.ThrowsAsync<SinkException>(() => dispatcher.Step(default));
        // Under TLS 1.3 a receiver may take the refusal for the end of a stream, and wait for the look.
        listener.Stop();
        await Assert.ThrowsAnyAsync<Exception>(() => receiving);
        Assert.Equal(0, ledger.Cursor("sink/tls"));
    }

    [Fact]
    public async Task An_authority_that_cannot_be_read_is_said()
    {
        var file = _directory.Sub("no.pem");
        using var listener = Listener();
        await Assert.ThrowsAsync<SinkException>(() => To(listener, file).Dispatcher.Step(default));
        await File.WriteAllTextAsync(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        await Assert.ThrowsAsync<SinkException>(() => To(listener, file).Dispatcher.Step(default));
    }
}
