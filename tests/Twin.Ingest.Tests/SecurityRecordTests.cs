using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using Twin.Ingest.Blocks;
using Twin.Ingest.Feed;
using Twin.Ingest.Records;

namespace Twin.Ingest.Tests;

public sealed class SecurityRecordTests
{
    private static readonly UnixTime At = new(Feeds.Minute("2026-01-02T03:04Z") * 60);
    private static readonly MeterId M1 = MeterId.FromUtilityId("m1");
    private static readonly string Hex64 = string.Concat(Enumerable.Repeat("ab", 32));
    private static Digest D => Digest.TryParse(Hex64, out var d) ? d : default;

    private static (List<Input> Inputs, List<string> Rejects) Read(string name, string text,
        TrustAnchors? anchors = null, params (string, byte[])[] beside) =>
        Feeds.WithFiles([(name, Encoding.UTF8.GetBytes(text)), .. beside], p =>
        {
            using var rejects = new Rejects(null);
            var feed = new RecordFeed(new MeterTable(), rejects);
            feed.ReadSecurity(p[0], anchors);
            return (feed.InOrder.ToList(), rejects.First.Select(r => r[(p[0].Length + 1)..]).ToList());
        });

    private static Input One(string json)
    {
        var (inputs, rejects) = Read("s.ndjson", "{\"at\":\"2026-01-02T03:04:00Z\"," + json + "}\n");
        Assert.Empty(rejects);
        return Assert.Single(inputs);
    }

    [Fact]
    public void Every_registry_kind_is_read()
    {
        var day = new UnixTime(At.Seconds + 86_400);
        Assert.Equal(new Release(D, At, FirmwarePart.Application, "Z3", "app", 7, 3, new UnixTime(0), ""),
            One($"\"kind\":\"release\",\"image\":\"{Hex64}\",\"part\":\"application\",\"model\":\"Z3\","
            + "\"name\":\"app\",\"version\":7,\"security_version\":3"));
        Assert.Equal(new CampaignMember(M1, At, "c", FirmwarePart.Metrology, D, 8, At, day, true,
            CampaignState.Updated),
            One($"\"kind\":\"campaign\",\"meter\":\"m1\",\"campaign\":\"c\",\"part\":\"metrology\","
            + $"\"image\":\"{Hex64}\","
            + "\"version\":8,\"to\":\"2026-01-03T03:04:00Z\",\"allows_downgrade\":true,\"state\":\"updated\""));
        var order = Assert.IsType<WorkOrder>(One("\"kind\":\"work_order\",\"meter\":\"m1\",\"order\":\"W1\","
            + "\"commands\":\"disconnect set_clock\",\"to\":\"2026-01-03T03:04:00Z\",\"contractor\":\"Acme\""));
        Assert.Equal((ushort)(1 << (int)CommandKind.Disconnect | 1 << (int)CommandKind.SetClock), order.Commands);
        Assert.Equal(new Installation(M1, At, "Ann", "Acme", "U1", MeterId.FromUtilityId("old"), 12_345, -1),
            One("\"kind\":\"installation\",\"meter\":\"m1\",\"installer\":\"Ann\",\"contractor\":\"Acme\","
            + "\"usage_point\":\"U1\",\"replaced\":\"old\",\"replaced_final_wh\":12345"));
        Assert.Equal(new LifeCycleChanged(M1, At, LifeCycle.Retired, "depot"),
            One("\"kind\":\"life_cycle\",\"meter\":\"m1\",\"stage\":\"retired\",\"actor\":\"depot\""));
        Assert.Equal(new Reverification(M1, At, D, Digest.None, "PTB"),
            One($"\"kind\":\"reverification\",\"meter\":\"m1\",\"authority\":\"PTB\",\"calibration\":\"{Hex64}\""));
        Assert.Equal(new ReactionTableAssigned(M1, At, 4, [1, 2, 3]),
            One("\"kind\":\"reaction_table\",\"meter\":\"m1\",\"version\":4,\"table\":\"010203\""));
        Assert.Equal(new CheckpointIssued(M1, At, 9, D),
            One($"\"kind\":\"checkpoint\",\"meter\":\"m1\",\"seq\":9,\"head\":\"{Hex64}\""));
        Assert.Equal(
            new Verdict(M1.Twin, At, 0x0123456789ABCDEF, FindingKind.LevelShift, Outcome.Benign, "kim", "a car"),
            One("\"kind\":\"verdict\",\"meter\":\"m1\",\"finding\":\"0123456789abcdef\",\"about\":\"level_shift\","
            + "\"outcome\":\"benign\",\"by\":\"kim\",\"why\":\"a car\""));
    }

    [Fact]
    public void Every_observed_kind_is_read()
    {
        var k1 = TwinKey.Named(TwinKind.Concentrator, "K1");
        Assert.Equal(new NonceIssued(k1, At, 0x0123456789abcdef),
            One("\"kind\":\"challenge\",\"concentrator\":\"K1\",\"nonce\":\"00000000000000000123456789abcdef\""));
        Assert.Equal(new AttestationQuote(M1.Twin, At, [0xFF, 0xFE], SignatureVerdict.Unchecked),
            One("\"kind\":\"quote\",\"meter\":\"m1\",\"quote\":\"//4=\""));
        Assert.Equal(new FrameReceived(M1.Twin, At, KeySlot.EncryptionUnicast, FrameDirection.FromMeter, 4_294_967_295,
            0xabababababababab, 300, FrameService.DataNotification),
            One("\"kind\":\"frame\",\"meter\":\"m1\",\"key\":\"encryption_unicast\",\"counter\":4294967295,"
            + $"\"digest\":\"{Hex64}\",\"size\":300,\"service\":\"data_notification\""));
        Assert.Equal(new FrameFault(M1.Twin, At, FrameFaultKind.TagFailed, 29, 0, "he1", "tag"),
            One("\"kind\":\"frame_fault\",\"meter\":\"m1\",\"fault\":\"tag_failed\",\"offset\":29,\"where\":\"he1\","
            + "\"reason\":\"tag\""));
        Assert.Equal(new Session(M1.Twin, At, CommandOrigin.OpticalPort, 1, 5, true,
            1 << (int)FrameService.Get | 1 << (int)FrameService.Set, 60, "T9", "Acme", ""),
            One("\"kind\":\"session\",\"meter\":\"m1\",\"port\":\"optical_port\",\"client\":1,\"mechanism\":5,"
            + "\"succeeded\":true,\"services\":\"get|set\",\"seconds\":60,\"tool\":\"T9\",\"contractor\":\"Acme\""));
        Assert.Equal(new CommandOutcome(M1, At, CommandKind.Disconnect, CommandOrigin.HeadEnd, CommandResult.Done,
            new SwitchState(false, 0, 4), "W1", "op", ""),
            One("\"kind\":\"command\",\"meter\":\"m1\",\"command\":\"disconnect\",\"origin\":\"head_end\","
            + "\"result\":\"done\",\"output\":false,\"control_mode\":4,\"order\":\"W1\",\"actor\":\"op\""));
        Assert.Equal(new Reaction(M1, At, 4, MeterEventKind.LoginFailed, ReactionAction.RateLimit),
            One("\"kind\":\"reaction\",\"meter\":\"m1\",\"version\":4,\"event\":\"login_failed\","
            + "\"action\":\"rate_limit\""));
        var print = Assert.IsType<Fingerprint>(One("\"kind\":\"fingerprint\",\"meter\":\"m1\","
            + "\"response_latency_ms\":120.5,\"boots_per_day\":1"));
        Assert.Equal([120.5f, float.NaN, float.NaN, float.NaN, float.NaN, float.NaN, 1f, float.NaN], print.Values);
        Assert.Equal(new ConcentratorReport(k1, "K1", At, 3600, 80,
            [new Route(M1, default, 10, 1, 0), new Route(MeterId.FromUtilityId("m2"), M1, 9, 0, 2)]),
            One("\"kind\":\"concentrator_report\",\"concentrator\":\"K1\",\"seconds\":3600,\"latency_ms\":80,"
            + "\"routes\":[{\"meter\":\"m1\",\"heard\":10,\"lost\":1},{\"meter\":\"m2\",\"via\":\"m1\",\"heard\":9,"
            + "\"duplicates\":2}]"));
    }

    [Fact]
    public void A_csv_of_several_kinds_names_file_line_column_and_remedy()
    {
        var (inputs, rejects) = Read("s.csv", "kind,at,meter,stage,actor,order,commands,to\n"
            + "life_cycle,2026-01-02T03:04:00Z,m1,installed,ann,,,\n"
            + "life_cycle,2026-01-02T03:04:00,m1,installed,ann,,,\n"
            + "life_cycle,2026-01-02,m1,buried,ann,,,\n"
            + "life_cycle,2026-01-02,m1,installed,ann,W1,,\n"
            + "work_order,2026-01-02,m1,,,W1,dance,2026-01-03\n"
            + "burial,2026-01-02,m1,,,,,\n");
        Assert.Equal(new LifeCycleChanged(M1, At, LifeCycle.Installed, "ann"), Assert.Single(inputs));
        Assert.Equal([
            "3:12 at: is no RFC 3339 time with Z or an offset, and no date",
            "4:26 stage: is none of blank, chip_vetted, manufactured, provisioned, calibrated, locked, installed, "
                + "operating, retired",
            "5:40 order: does not belong to kind life_cycle; leave it empty",
            "6:31 commands: holds 'dance', which is none of other, disconnect, reconnect, set_limiter, activate_image, "
                + "transfer_key, reset, set_clock, write_configuration, set_tariff, clear_log, set_reaction_table",
            ], rejects.Take(4).Select(static r => r[..r.LastIndexOf(" (", StringComparison.Ordinal)]));
        Assert.StartsWith("7:1 kind: is none of release, campaign, key, ", rejects[4]);
    }

    [Theory]
    [InlineData("\"kind\":\"checkpoint\",\"meter\":\"m1\",\"seq\":4294967296,\"head\":\"\"", "head: is missing")]
    [InlineData("\"kind\":\"challenge\",\"meter\":\"m1\",\"nonce\":\"12\"", "nonce: is no nonce")]
    [InlineData("\"kind\":\"challenge\",\"nonce\":\"12\"", "meter: give either")]
    [InlineData("\"kind\":\"challenge\",\"meter\":\"m1\",\"concentrator\":\"k\",\"nonce\":\"12\"",
        "meter: give either")]
    [InlineData("\"kind\":\"quote\",\"meter\":\"m1\",\"quote\":\"%%%\"", "quote: is neither hexadecimal nor base64")]
    [InlineData("\"kind\":\"key\",\"meter\":\"m1\",\"slot\":\"device_signing\",\"public_key\":\"0102\"",
        "public_key: has 2 bytes")]
    [InlineData("\"kind\":\"key\",\"meter\":\"m1\",\"slot\":\"device_signing\"", "public_key: is missing")]
    [InlineData("\"kind\":\"key\",\"meter\":\"m1\",\"slot\":\"master\",\"public_key\":\"00112233\"",
        "public_key: is given for master")]
    [InlineData("\"kind\":\"key\",\"meter\":\"m1\",\"certificate\":\"AAAA\"", "certificate: cannot be checked")]
    [InlineData("\"kind\":\"fingerprint\",\"meter\":\"m1\"", "response_latency_ms: is missing")]
    [InlineData("\"kind\":\"concentrator_report\",\"concentrator\":\"k\",\"seconds\":1,\"routes\":[{\"heard\":1}]",
        "routes: route 1: 'meter' is missing")]
    [InlineData("\"kind\":\"concentrator_report\",\"concentrator\":\"k\",\"seconds\":1,\"routes\":[{\"meter\":true}]",
        "routes: is no JSON array")]
    [InlineData("\"kind\":\"concentrator_report\",\"concentrator\":\"k\",\"seconds\":1,\"routes\":[1]",
        "routes: route 1: is no object")]
    [InlineData("\"kind\":\"work_order\",\"meter\":\"m1\",\"order\":\"W\",\"commands\":\"reset\",\"to\":\"2026-01-01\"",
        "to: is not after")]
    public void A_record_that_makes_no_sense_is_one_reject(string json, string expected)
    {
        var (inputs, rejects) = Read("s.ndjson", "{\"at\":\"2026-01-02T03:04:00Z\"," + json + "}\n");
        Assert.Empty(inputs);
        Assert.StartsWith("1:1 " + expected, Assert.Single(rejects));
    }

    [Fact]
    public void A_public_key_off_the_curve_is_refused_and_one_on_it_enrolled()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = key.ExportParameters(false).Q;
        byte[] xy = [.. q.X!, .. q.Y!];
        var hex = Convert.ToHexString(xy);
        Assert.Equal(new KeyEvent(M1.Twin, At, KeySlot.DeviceSigning, KeyEventKind.Enrolled, 1, xy,
            new UnixTime(0), ""),
            One($"\"kind\":\"key\",\"meter\":\"m1\",\"slot\":\"device_signing\",\"public_key\":\"{hex}\""));
        xy[63] ^= 1;
        var (_, rejects) = Read("s.csv", "kind,at,meter,slot,public_key\nkey,2026-01-02,m1,device_signing,"
            + Convert.ToHexString(xy) + "\n");
        Assert.StartsWith("2:34 public_key: is no point of P-256", Assert.Single(rejects));
    }

    private static readonly DateTimeOffset From = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static X509Certificate2 Root(ECDsa key, string name)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(From, From.AddYears(10));
    }

    private static X509Certificate2 Leaf(X509Certificate2 root, ECDsa key, string name, int years)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        return request.Create(root, From, From.AddYears(years), [1, 2, 3, 4]);
    }

    [Fact]
    public void A_certificate_is_held_against_the_anchors_at_its_own_time_and_name()
    {
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var strangerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var meterKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Root(caKey, "Utility Root");
        using var stranger = Root(strangerKey, "Utility Root");
        using var good = Leaf(root, meterKey, "4D54570000000001", 5);
        using var expired = Leaf(root, meterKey, "4D54570000000001", 1);
        using var forged = Leaf(stranger, meterKey, "4D54570000000001", 5);
        using var other = Leaf(root, meterKey, "4D54570000000002", 5);
        string Line(X509Certificate2 c) => "{\"kind\":\"key\",\"at\":\"2026-06-01T00:00:00Z\","
            + $"\"meter\":\"4d54570000000001\",\"certificate\":\"{Convert.ToBase64String(c.RawData)}\"}}\n";
        var text = Line(good) + Line(expired) + Line(forged) + Line(other)
            + "{\"kind\":\"key\",\"at\":\"2026-06-01T00:00:00Z\",\"meter\":\"4d54570000000001\","
            + "\"certificate\":\"@m.pem\"}\n";
        var (inputs, rejects) = Feeds.WithFiles([("ca.pem", Encoding.ASCII.GetBytes(root.ExportCertificatePem()))],
            p =>
            {
                using var anchors = TrustAnchors.Read(p[0]);
                return Read("s.ndjson", text, anchors, ("m.pem", Encoding.ASCII.GetBytes(good.ExportCertificatePem())));
            });
        Assert.Empty(rejects);
        var keys = inputs.Cast<KeyEvent>().ToArray();
        Assert.Equal([KeyEventKind.Enrolled, KeyEventKind.CertificateUntrusted, KeyEventKind.CertificateUntrusted,
            KeyEventKind.CertificateUntrusted, KeyEventKind.Enrolled], keys.Select(static k => k.Change));
        Assert.All(keys, static k => Assert.Equal((KeySlot.DeviceSigning, (byte)1), (k.Slot, k.Suite)));
        Assert.Equal(From.AddYears(5).ToUnixTimeSeconds(), keys[0].Expires.Seconds);
        Assert.Equal("CN=Utility Root", keys[0].Actor);
        Assert.Contains("NotTimeValid", keys[1].Actor);
        Assert.Equal("certificate of another: it names '4D54570000000002'", keys[3].Actor);
    }

    [Fact]
    public void A_feed_gives_facts_in_event_time_order_with_a_sweep_behind_each_hour()
    {
        var c = Feeds.WithFiles([("s.csv", Encoding.UTF8.GetBytes("kind,at,meter,stage\n"
            + "life_cycle,2026-01-02T05:10:00Z,m2,retired\nlife_cycle,2026-01-02T03:50:00Z,m1,installed\n"
            + "life_cycle,2026-01-02T03:10:00Z,m2,installed\nlife_cycle,2026-01-03T00:00:00Z,m1,operating\n"))],
            p => Feeds.Collect(new FeedOptions { SecurityFiles = p }));
        var told = c.Others.Select(static o => o switch
        {
            MeterSeen s => s.Name,
            LifeCycleChanged l => l.At.ToString(),
            Sweep s => "sweep " + s.At,
            _ => o.Kind.ToString(),
        }).ToArray();
        Assert.Equal(["m1", "m2"], told[..2].Order());
        Assert.Equal(["2026-01-02T03:10:00Z", "2026-01-02T03:50:00Z", "sweep 2026-01-02T04:00:00Z",
            "2026-01-02T05:10:00Z", "sweep 2026-01-02T06:00:00Z", "2026-01-03T00:00:00Z", "sweep 2026-01-03T01:00:00Z",
            "SourceEnded"], told[2..]);
    }

    [Fact]
    public void A_head_end_may_post_what_happens_and_not_what_is_trusted()
    {
        var c = Feeds.CollectText("o.ndjson",
            "{\"kind\":\"frame_fault\",\"at\":\"2026-01-02T03:04:00Z\",\"meter\":\"m1\",\"fault\":\"tag_failed\"}\n"
            + "{\"meter\":\"m1\",\"at\":\"2026-01-02T03:04:00Z\",\"code\":\"kind\"}\n"
            + "{\"kind\":\"life_cycle\",\"at\":\"2026-01-02T03:04:00Z\",\"meter\":\"m1\",\"stage\":\"retired\"}\n"
            + "{\"kind\":\"key\",\"at\":\"2026-01-02T03:04:00Z\",\"meter\":\"m1\",\"certificate\":\"@/etc/passwd\"}\n");
        Assert.Equal([InputKind.FrameFault, InputKind.DeviceEvent], c.Others.Select(static o => o.Kind)
            .Where(static k => k is not (InputKind.MeterSeen or InputKind.Sweep or InputKind.SourceEnded)).Order()
            .Reverse());
        Assert.Equal(2, c.Rejects.Count);
        Assert.All(c.Rejects, static r => Assert.Contains("import it with --security instead", r));
        Assert.Contains("\"line\":3,\"column\":2,\"field\":\"kind\"", c.Rejects[0]);
    }
}
