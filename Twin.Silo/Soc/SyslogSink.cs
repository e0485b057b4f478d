using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Twin.Silo.Soc;

internal enum SyslogTransport : byte { Udp = 1, Tcp = 2, Tls = 3 }

/// <summary>Where and how syslog goes. <paramref name="AuthorityFile"/>: PEM of who signed the receiver's
/// certificate; null: the machine's own list.</summary>
internal sealed record SyslogTarget(SyslogTransport Transport, string Host, int Port, SocFormat Format, int Enterprise,
    string? AuthorityFile);

/// <summary>
/// RFC 5424 over UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS (RFC 5425). Syslog knows no acknowledgement. A
/// stream gets one connection a batch: the sender ends its side, and the batch counts as taken only when the receiver
/// has then ended its side, which it does after it has read all, and when it still accepts a new connection, which one
/// that was killed does not. What stays open: a receiver killed after reading and back before that look. UDP may lose
/// at any time; use it only where that may be.
/// </summary>
internal sealed class SyslogSink(SyslogTarget target, string sender) : ISocSink
{
    /// <summary>Longest wait for the receiver in one step.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task Deliver(IReadOnlyList<SocEvent> events, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            var messages = events.Select(Message).ToList();
            if (target.Transport == SyslogTransport.Udp) await SendDatagrams(messages, limit.Token);
            else await SendStream(messages, limit.Token);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new SinkException($"syslog {target.Host}:{target.Port} does not answer within "
                + $"{Patience.TotalSeconds:0} s.", e);
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException
            or System.Security.Cryptography.CryptographicException)
        {
            throw new SinkException($"syslog {target.Host}:{target.Port}: {e.Message}", e);
        }
    }

    private byte[] Message(SocEvent e) => Rfc5424.Of(e, sender, target.Enterprise,
        target.Format == SocFormat.Text ? null : SocFormats.Of(e, target.Format));

    private async Task SendDatagrams(List<byte[]> messages, CancellationToken cancel)
    {
        using var udp = new UdpClient();
        udp.Connect(target.Host, target.Port);
        foreach (var m in messages) await udp.SendAsync(m, cancel);
    }

    private async Task SendStream(List<byte[]> messages, CancellationToken cancel)
    {
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(target.Host, target.Port, cancel);
            await using Stream stream = target.Transport == SyslogTransport.Tls ? await Secure(client, cancel)
                : client.GetStream();
            foreach (var m in messages) await stream.WriteAsync(Rfc5424.Framed(m), cancel);
            await stream.FlushAsync(cancel);
            if (stream is SslStream tls) await tls.ShutdownAsync();
            client.Client.Shutdown(SocketShutdown.Send);
            var rest = new byte[256];
            while (await stream.ReadAsync(rest, cancel) > 0)
            {
                // A receiver that says something is read until it ends.
            }
        }
        using var again = new TcpClient();
        await again.ConnectAsync(target.Host, target.Port, cancel);
    }

    private async Task<Stream> Secure(TcpClient client, CancellationToken cancel)
    {
        var tls = new SslStream(client.GetStream());
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = target.Host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (target.AuthorityFile is { } file)
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file);
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        await tls.AuthenticateAsClientAsync(options, cancel);
        return tls;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
