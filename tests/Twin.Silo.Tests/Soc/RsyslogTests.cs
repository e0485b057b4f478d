using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Twin.Silo.Soc;

namespace Twin.Silo.Tests.Soc;

/// <summary>A test that runs where rsyslog is installed, and says so where it is not.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RsyslogFactAttribute : FactAttribute
{
    public const string Program = "/usr/sbin/rsyslogd";

    public override string? Skip
    {
        get => File.Exists(Program) ? null
            : $"rsyslog is not installed here: there is no '{Program}'. Install package 'rsyslog'.";
        set => throw new NotSupportedException("Only the absence of rsyslog passes a test over.");
    }
}

/// <summary>One that needs its driver for TLS as well.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RsyslogTlsFactAttribute : FactAttribute
{
    private static readonly string? s_driver = Directory.Exists("/usr/lib") ? Directory.GetDirectories("/usr/lib")
        .Select(d => Path.Combine(d, "rsyslog", "lmnsd_gtls.so")).FirstOrDefault(File.Exists) : null;

    public override string? Skip
    {
        get => File.Exists(RsyslogFactAttribute.Program) && s_driver is not null ? null
            : "rsyslog with TLS is not installed here. Install packages 'rsyslog' and 'rsyslog-gnutls'.";
        set => throw new NotSupportedException("Only the absence of rsyslog passes a test over.");
    }
}

/// <summary>The dispatcher against rsyslog of Debian.</summary>
public sealed partial class RsyslogTests : IDisposable
{
    private readonly TestDirectory _directory = new();
    private readonly int _port = FreePort();
    private Process? _running;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string Log => _directory.Sub("out.log");

    /// <summary>Every message is written before the next is read: what a sender is told is true is on disk.</summary>
    private void Start(bool isTls = false)
    {
        var config = _directory.Sub("rsyslog.conf");
        var tls = isTls ? Certified() : ("", "");
        File.WriteAllText(config, $$"""
            global(workDirectory="{{_directory.Path}}" maxMessageSize="64k"{{tls.Item1}})
            main_queue(queue.type="Direct")
            module(load="imtcp"{{tls.Item2}})
            module(load="imudp")
            template(name="row" type="string"
              string="%syslogseverity%\t%app-name%\t%msgid%\t%structured-data%\t%msg%\n")
            ruleset(name="in" queue.type="Direct") {
              action(type="omfile" file="{{Log}}" template="row"
                asyncWriting="off" flushOnTXEnd="on" queue.type="Direct")
            }
            input(type="imtcp" port="{{_port}}" address="127.0.0.1" ruleset="in" supportOctetCountedFraming="on")
            input(type="imudp" port="{{_port}}" address="127.0.0.1" ruleset="in")
            """);
        _running = Process.Start(new ProcessStartInfo(RsyslogFactAttribute.Program,
            ["-n", "-f", config, "-i", _directory.Sub("pid")])
        { RedirectStandardError = true })!;
    }

    /// <summary>Settings of a receiver that proves its name by a certificate of our authority.</summary>
    private (string Global, string Input) Certified()
    {
        using var authority = Certificates.Authority("CN=Authority");
        using var server = Certificates.Server(authority, "localhost");
        using var key = server.GetECDsaPrivateKey()!;
        File.WriteAllText(_directory.Sub("ca.pem"), authority.ExportCertificatePem());
        File.WriteAllText(_directory.Sub("cert.pem"), server.ExportCertificatePem());
        File.WriteAllText(_directory.Sub("key.pem"), key.ExportPkcs8PrivateKeyPem());
        return ($" defaultNetstreamDriver=\"gtls\" defaultNetstreamDriverCAFile=\"{_directory.Sub("ca.pem")}\""
            + $" defaultNetstreamDriverCertFile=\"{_directory.Sub("cert.pem")}\""
            + $" defaultNetstreamDriverKeyFile=\"{_directory.Sub("key.pem")}\"",
            " streamDriver.name=\"gtls\" streamDriver.mode=\"1\" streamDriver.authMode=\"anon\"");
    }

    private void Kill()
    {
        _running!.Kill();
        _running.WaitForExit();
        _running.Dispose();
        _running = null;
    }

    private SocDispatcher Dispatcher(ListLedger ledger, SyslogTransport transport) => new("rsyslog",
        new SyslogSink(new SyslogTarget(transport, transport == SyslogTransport.Tls ? "localhost" : "127.0.0.1", _port,
            SocFormat.Text, 32473, transport == SyslogTransport.Tls ? _directory.Sub("ca.pem") : null), "test"), ledger,
        TimeProvider.System, 1);

    /// <summary>Tries until the receiver is up; it says so by taking a batch.</summary>
    private static async Task<bool> StepWhenUp(SocDispatcher dispatcher)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await dispatcher.Step(default);
            }
            catch (SinkException) when (tries < 200)
            {
                await Pause();
            }
        }
    }

    /// <summary>A timer's tick between two looks at another process, which has no other sign.</summary>
    private static async Task Pause()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        await timer.WaitForNextTickAsync();
    }

    [RsyslogFact]
    public async Task Every_entry_arrives_in_order_though_the_receiver_is_killed_in_the_middle()
    {
        const int entries = 1_000;
        var ledger = Ledger(entries);
        Start();
        var dispatcher = Dispatcher(ledger, SyslogTransport.Tcp);
        Assert.True(await StepWhenUp(dispatcher));
        Assert.True(await dispatcher.Step(default));
        Kill();
        await Assert.ThrowsAsync<SinkException>(() => dispatcher.Step(default));
        Assert.Equal(400, ledger.Cursor("sink/rsyslog"));
        Start();
        // A new process on the sender's side, too.
        dispatcher = Dispatcher(ledger, SyslogTransport.Tcp);
        while (await StepWhenUp(dispatcher)) { }
        Kill();
        var rows = Row().Matches(await File.ReadAllTextAsync(Log));
        var numbers = rows.Select(r => int.Parse(r.Groups["n"].Value)).ToList();
        Assert.Equal(Enumerable.Range(1, entries), numbers.Distinct());
        Assert.Equal(numbers.Order(), numbers);
        Assert.All(rows, r => Assert.Equal(r.Groups["n"].Value, r.Groups["m"].Value));
    }

    [RsyslogTlsFact]
    public async Task Over_tls_every_entry_arrives_in_order()
    {
        const int entries = 300;
        var ledger = Ledger(entries);
        Start(isTls: true);
        var dispatcher = Dispatcher(ledger, SyslogTransport.Tls);
        while (await StepWhenUp(dispatcher)) { }
        Assert.Equal(entries, ledger.Cursor("sink/rsyslog"));
        Kill();
        var numbers = Row().Matches(await File.ReadAllTextAsync(Log)).Select(r => int.Parse(r.Groups["n"].Value));
        Assert.Equal(Enumerable.Range(1, entries), numbers);
    }

    [RsyslogFact]
    public async Task Datagrams_parse()
    {
        Start();
        await StepWhenUp(Dispatcher(Ledger(1), SyslogTransport.Tcp));
        await Dispatcher(Ledger(1), SyslogTransport.Udp).Step(default);
        for (var tries = 0; tries < 200 && Row().Count(File.ReadAllText(Log)) < 2; tries++) await Pause();
        Kill();
        Assert.Equal(2, Row().Count(await File.ReadAllTextAsync(Log)));
    }

    private static ListLedger Ledger(int entries)
    {
        var ledger = new ListLedger();
        for (var i = 1; i <= entries; i++)
            ledger.Add(Samples.Report(Samples.Finding("M \"]\\ ä", $"finding {i}\nsecond line")));
        return ledger;
    }

    [GeneratedRegex("^3\tmetertwin\tfinding\\.unknown_image\t\\[metertwin@32473 id=\"[0-9a-f]{16}-\\d+\" "
        + "entry=\"(?<n>\\d+)\" .*name=\"M \\\\\"\\\\]\\\\\\\\ ä\" .*\\]\t ?\uFEFF?finding (?<m>\\d+) second line$",
        RegexOptions.Multiline)]
    private static partial Regex Row();

    public void Dispose()
    {
        if (_running is not null) Kill();
        _directory.Dispose();
    }
}
