using System.Text;
using Twin.Hardware;
using Twin.Ingest.Blocks;
using Twin.Ingest.Feed;
using Twin.Ingest.Records;

namespace Twin.Ingest.Tests;

public sealed class RecordsTests
{
    private static (List<Input> Inputs, List<string> Rejects) Read(string name, string text, Action<RecordFeed,
        string> read) =>
        Feeds.WithFiles([(name, Encoding.UTF8.GetBytes(text))], p =>
        {
            using var rejects = new Rejects(null);
            var feed = new RecordFeed(new MeterTable(), rejects);
            read(feed, p[0]);
            return (feed.Inputs.ToList(), rejects.First.Select(r => r[(p[0].Length + 1)..]).ToList());
        });

    private const string Fleet =
        "meter,role,feeder,model,firmware,lot,installed,usage_point,phase,zone,region,category,valid_from,valid_to\n";

    [Fact]
    public void A_fleet_file_is_read()
    {
        var (inputs, rejects) = Read("fleet.csv", Fleet
            + "m1,customer,F1,Z3,1.0,A,2020-05-01,U1,L1,Europe/London,R,medical,2024-01-01,2025-01-01\n"
            + "o1,Observer,F1,Z3,1.0,A,,,,,,,,\n"
            + "m2,boss,F1,Z3,1.0,A,,,,,,,,\nm3,,F1,,,,01/05/2020,,,,,,,\nm4,,F1,,,,,,,Mars/Base,,,,\nm5,,F1,,,,,,,,"
            + ",,2025-01-01,2025-01-01\n,,F1,,,,,,,,,,,\n"
            + "m6,,F1\n", static (f, p) => f.ReadFleet(p));
        var first = Assert.IsType<MeterRelation>(inputs[0]);
        Assert.Equal(new MeterRelation(MeterId.FromUtilityId("m1"), "m1", MeterRole.Customer, "F1", "Z3", "1.0", "A",
            "2020-05-01", "U1", "L1",
            "Europe/London", "", "R", CustomerCategory.Medical, 19_723, 20_089), first);
        var second = Assert.IsType<MeterRelation>(inputs[1]);
        Assert.Equal((MeterRole.Observer, int.MinValue, int.MaxValue, CustomerCategory.Unknown),
            (second.Role, second.ValidFromDay, second.ValidToDay, second.Category));
        Assert.Equal(2, inputs.Count);
        Assert.Equal(["4:4 role: is neither customer nor observer", "5:11 installed: is no date of the form 2026-01-31",
            "6:14 zone: is neither an IANA name such as Europe/London nor an offset such as +10:00",
            "7:28 valid_to: is not after valid_from (it is exclusive)", "8:1 meter: is missing"],
            rejects.Select(static r => r[..r.LastIndexOf(" (", StringComparison.Ordinal)]));
    }

    [Fact]
    public void Registry_events_and_context_are_read_from_both_formats()
    {
        var (registry, _) = Read("r.ndjson",
            "{\"meter\":\"m1\",\"manufacturer\":\"Acme\",\"lot\":7,\"shipped\":\"2025-02-03\",\"plant\":null}\n",
            static (f, p) => f.ReadRegistry(p));
        Assert.Equal(new SupplyRecord(MeterId.FromUtilityId("m1"), "m1", "Acme", "", "7", "", "", "", "", "2025-02-03"),
            Assert.Single(registry));
        var (events, rejects) = Read("e.csv",
            "meter,at,code,detail\nm1,2026-01-01T00:00:30+01:00,12,\"cover, open\"\nm1,2026-01-01T00:00:30,12,\n",
            static (f, p) => f.ReadEvents(p));
        Assert.Equal(new DeviceEvent(MeterId.FromUtilityId("m1"),
            new UnixTime(Feeds.Minute("2025-12-31T23:00Z") * 60 + 30), "", "12", "cover, open"),
            Assert.Single(events));
        Assert.StartsWith("3:4 at: is no RFC 3339 time", Assert.Single(rejects));
        var (context, refused) = Read("c.csv",
            "meter,feeder,kind,from,to,note\n,F1,planned-work,2026-01-01,2026-01-03,cable\nm1,,move_in,2026-01-01,,\n"
            + "m1,F1,outage,2026-01-01,,\nm1,,flood,2026-01-01,,\nm1,,outage,2026-01-02,2026-01-01,\n", static (f, p) =>
            f.ReadContext(p));
        var day = Feeds.Minute("2026-01-01T00:00Z") * 60;
        Assert.Equal([new ContextPeriod(TwinKey.Named(TwinKind.Feeder, "F1"), ContextKind.PlannedWork,
            new UnixTime(day), new UnixTime(day + 172_800), "cable"),
            new ContextPeriod(MeterId.FromUtilityId("m1").Twin, ContextKind.MoveIn, new UnixTime(day),
            new UnixTime(day + 86_400), "")], context);
        Assert.Equal(3, refused.Count);
    }

    [Theory]
    [InlineData("meter,role\nm,customer\n", "has no column 'feeder'")]
    [InlineData(Fleet + "", "")]
    [InlineData("meter,role,feeder,model,firmware,lot,installed,colour\n", "has a column 'colour' that is not known")]
    [InlineData("", "is empty")]
    public void A_fleet_file_of_another_shape_is_one_error(string text, string expected)
    {
        if (expected.Length == 0)
        {
            Assert.Empty(Read("f.csv", text, static (f, p) => f.ReadFleet(p)).Inputs);
            return;
        }
        var error = Assert.Throws<FormatError>(() => Read("f.csv", text, static (f, p) => f.ReadFleet(p)));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void A_dry_run_tells_new_changed_and_same()
    {
        const string text = "meter,manufacturer,lot\na,Acme,1\nb,Acme,2\nc,Acme,3\n";
        var (inputs, _) = Read("r.csv", text, static (f, p) => f.ReadRegistry(p));
        var known = new Dictionary<MeterId, SupplyRecord>
        {
            [MeterId.FromUtilityId("b")] = (SupplyRecord)inputs[1] with { Lot = "9", Installer = "Ann" },
            [MeterId.FromUtilityId("c")] = (SupplyRecord)inputs[2],
        };
        var diff = RegistryDiff.Of(inputs, static _ => null, id => known.GetValueOrDefault(id)).ToArray();
        Assert.Equal([("a", DiffKind.New), ("b", DiffKind.Changed), ("c", DiffKind.Same)],
            diff.Select(static d => (d.Meter, d.Kind)));
        Assert.Equal(["lot: '9' → '2'", "installer: 'Ann' → ''"], diff[1].Changes);
    }
}
