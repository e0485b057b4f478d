using System.Globalization;
using System.Xml.Linq;
using Twin.Hardware;
using Twin.Hardware.Wire;
using Twin.Ingest.Dlms;
using Twin.Ingest.Feed;
using Xunit.Abstractions;

namespace Twin.Ingest.Tests.Dlms;

/// <summary>
/// The recorded telegrams: every frame accounted for. Counts were made independently (Python, its own check sequence);
/// values are those of the XML beside the dumps.
/// </summary>
public sealed class TelegramTests(ITestOutputHelper output)
{
    private Collected? Read(string name, FrameIntake? intake = null, string? zone = null)
    {
        if (Feeds.Data("telegrams/" + name) is { } path)
            return Feeds.Collect(new FeedOptions
            {
                Paths = [path], Frames = intake ?? FrameIntake.Keyless, FrameZone = zone,
                ListEnergyWh = 1,
            });
        output.WriteLine($"../shared/data/telegrams/{name} is not there: nothing was tested.");
        return null;
    }

    [Theory]
    [InlineData("norway_han/kaifa-20170912.txt", 611, 0)]
    [InlineData("norway_han/kaifa-20170914.txt", 1533, 2)]
    [InlineData("norway_han/kaifa-samples.txt", 559, 0)]
    [InlineData("norway_han/kamstrup-one.txt", 1, 0)]
    [InlineData("dlms_dumps/hdlc_kaifa_ma304h3e.log", 1, 0)]
    [InlineData("dlms_dumps/hdlc_norway_han_1phase.log", 1, 0)]
    [InlineData("dlms_dumps/hdlc_kamstrup_omnipower.log", 0, 1)]
    [InlineData("dlms_dumps/mbus_kmswest.log", 0, 1)]
    public void Every_frame_is_accounted_for(string name, long valid, long rejected)
    {
        if (Read(name) is not { } c) return;
        Assert.Equal(new FrameTotals(valid, rejected), c.Totals.Frames);
        Assert.Equal(rejected, c.Rejects.Count);
        Assert.Equal(rejected, c.Totals.RejectedRows);
        Assert.All(c.Rejects, static r => Assert.Contains(" at byte ", r));
        Assert.Empty(c.Totals.FileErrors);
    }

    [Fact]
    public void The_two_damaged_frames_are_named_by_line_and_reason()
    {
        if (Read("norway_han/kaifa-20170914.txt") is not { } c) return;
        Assert.Contains("\"line\":5576,", c.Rejects[0]);
        Assert.Contains("Malformed: a flag or delimiter is missing at byte 122", c.Rejects[0]);
        Assert.Contains("\"line\":5600,", c.Rejects[1]);
        Assert.Contains("Malformed: the header check sequence is wrong at byte 6", c.Rejects[1]);
    }

    [Fact]
    public void The_hourly_list_gives_registers_at_the_meters_own_time()
    {
        if (Read("norway_han/kaifa-20170914.txt", zone: "Europe/Oslo") is not { } c) return;
        // 20:00:10 on the clock of Oslo, in summer.
        var at = new UnixTime(Feeds.Minute("2017-09-14T18:00Z") * 60 + 10);
        var meter = MeterId.ParseOrMap("6970631401753985");
        Assert.Equal(new RegisterSnapshot[]
        {
            new(meter, Channel.Import, at, 180_073), new(meter, Channel.Export, at, 0),
        }, c.Others.OfType<RegisterSnapshot>());
        var seen = Assert.Single(c.Others.OfType<MeterSeen>());
        Assert.Equal(("6970631401753985", "Europe/Oslo", 3), (seen.Name, seen.Zone, seen.ZoneRank));
        Assert.Empty(c.Readings);
    }

    [Fact]
    public void Without_a_zone_open_clocks_are_utc_and_that_is_said()
    {
        if (Read("norway_han/kaifa-20170914.txt") is not { } c) return;
        var at = new UnixTime(Feeds.Minute("2017-09-14T20:00Z") * 60 + 10);
        Assert.All(c.Others.OfType<RegisterSnapshot>(), r => Assert.Equal(at, r.At));
        Assert.Contains(c.Messages, static m => m.Contains("give --zone"));
    }

    private static readonly MeterId Omnipower = new(0x4B414D4501349083);

    private FrameIntake? Keys(bool right)
    {
        if (Feeds.Data("telegrams/dlms_dumps") is not { } folder) return null;
        byte[] Key(string end) => Convert.FromHexString(File.ReadAllText(Path.Combine(folder,
            "hdlc_kamstrup_omnipower." + end)).Trim());
        var (ek, ak) = (Key("key"), Key("gak"));
        if (!right) ek[0] ^= 1;
        var keys = new FrameKeys();
        keys.Set(Omnipower, KeyUse.GlobalUnicast, ek, ak);
        return new FrameIntake(keys, new HashSet<MeterId> { Omnipower });
    }

    [Fact]
    public void With_its_keys_the_ciphered_list_gives_frame_and_registers_of_the_XML()
    {
        if (Keys(true) is not { } intake || Read("dlms_dumps/hdlc_kamstrup_omnipower.log", intake) is not { } c) return;
        Assert.Equal(new FrameTotals(1, 0), c.Totals.Frames);
        var xml = XDocument.Load(Feeds.Data("telegrams/dlms_dumps/hdlc_kamstrup_omnipower_decoded.xml")!);
        var frame = Assert.Single(c.Others.OfType<FrameReceived>());
        Assert.Equal((Omnipower.Twin, KeySlot.EncryptionUnicast, FrameDirection.FromMeter,
            FrameService.DataNotification), (frame.Subject, frame.Key, frame.Direction, frame.Service));
        Assert.Equal(uint.Parse(xml.Root!.Attribute("FrameCounter")!.Value, CultureInfo.InvariantCulture),
            frame.Counter);
        var at = new UnixTime(Feeds.Minute("2026-03-12T15:24Z") * 60 + 30);
        Assert.Equal(new RegisterSnapshot[]
        {
            new(Omnipower, Channel.Import, at, Value(xml, "1.1.1.8.0.255")),
            new(Omnipower, Channel.Export, at, Value(xml, "1.1.2.8.0.255")),
        }, c.Others.OfType<RegisterSnapshot>());
        // The frame stands before what it held, and a sweep behind both.
        var kinds = c.Others.Select(static o => o.Kind);
        Assert.Equal([InputKind.MeterSeen, InputKind.FrameReceived, InputKind.RegisterSnapshot,
            InputKind.RegisterSnapshot, InputKind.Sweep, InputKind.SourceEnded], kinds);
        var sweep = Assert.Single(c.Others.OfType<Sweep>());
        Assert.Equal(new UnixTime(Feeds.Minute("2026-03-12T16:00Z") * 60), sweep.At);
    }

    private static long Value(XDocument xml, string obis) => long.Parse(xml.Descendants("OCTETSTRING")
        .Single(e => e.Attribute("Value")!.Value == obis).ElementsAfterSelf().First().Attribute("Value")!.Value,
        CultureInfo.InvariantCulture);

    [Fact]
    public void A_wrong_key_is_a_failed_tag()
    {
        if (Keys(false) is not { } intake || Read("dlms_dumps/hdlc_kamstrup_omnipower.log", intake) is not { } c)
            return;
        Assert.Equal(new FrameTotals(0, 1), c.Totals.Frames);
        Assert.Contains("TagFailed: the authentication tag is wrong", Assert.Single(c.Rejects));
        Assert.Empty(c.Others.OfType<RegisterSnapshot>());
    }

    [Fact]
    public void A_replay_of_the_same_files_gives_the_same_stream()
    {
        if (Feeds.Data("telegrams") is not { } folder) return;
        var options = new FeedOptions
        {
            Paths = [folder], FrameZone = "Europe/Oslo",
        };
        var (first, second) = (Feeds.Collect(options), Feeds.Collect(options));
        Assert.Equal(first.Stream(), second.Stream());
        Assert.Equal(new FrameTotals(611 + 1533 + 559 + 3, 4), first.Totals.Frames);
    }
}
