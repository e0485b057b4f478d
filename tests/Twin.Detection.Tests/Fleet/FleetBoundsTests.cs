using System.Diagnostics;
using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Xunit.Abstractions;

namespace Twin.Detection.Tests.Fleet;

/// <summary>Every table of a partition is filled beyond its bound: it stays within, and goes on working.</summary>
public class FleetBoundsTests(ITestOutputHelper output)
{
    private sealed class Sink : IFindingSink
    {
        public List<Finding> Findings { get; } = [];
        public void Add(Finding finding) => Findings.Add(finding);
    }

    private static readonly Party Self = new(FleetPartition.Whole, "fleet");
    private readonly Sink _sink = new();

    private static Party Meter(int i) =>
        new(new TwinKey(TwinKind.Meter, StableHash.Mix((ulong)i + 1)), $"MTR-{i:00000}");

    private static ulong Key(int i) => StableHash.Mix((ulong)i + 77);

    private static UnixTime At(long seconds) => new(1_704_067_200 + seconds);

    private static byte[] Bytes(Action<ByteWriter> write)
    {
        var w = new ByteWriter();
        write(w);
        return w.ToArray();
    }

    [Fact]
    public void The_older_half_of_the_keys_is_forgotten_and_copies_of_the_newer_are_found()
    {
        var keys = new KeyHolders();
        for (var i = 0; i <= KeyHolders.MaxKeys; i++) keys.Note(Key(i), 16, Meter(i), At(0), Self, _sink);
        Assert.Equal(KeyHolders.MaxKeys / 2 + 1, keys.Count);
        keys.Note(Key(KeyHolders.MaxKeys), 16, Meter(1), At(0), Self, _sink);
        Assert.Equal($"MTR-{KeyHolders.MaxKeys:00000}", _sink.Findings[1 - _sink.Findings
            .FindIndex(f => f.SubjectName == "MTR-00001")].SubjectName);
        keys.Note(Key(0), 16, Meter(2), At(0), Self, _sink);
        Assert.Equal(2, _sink.Findings.Count);
        var bytes = Bytes(keys.Write);
        var r = new ByteReader(bytes);
        Assert.Equal(bytes, Bytes(KeyHolders.Read(ref r).Write));
    }

    [Fact]
    public void The_oldest_signatures_are_overwritten()
    {
        var ring = new SignatureRing();
        for (var i = 0; i < SignatureRing.Capacity + 100; i++)
            ring.Note(Key(i), StableHash.Mix((ulong)i), 1, Meter(i), At(0), _sink);
        Assert.Equal(SignatureRing.Capacity, ring.Count);
        ring.Note(Key(5), 9UL << 40, 2, Meter(1), At(0), _sink);
        Assert.Empty(_sink.Findings);
        ring.Note(Key(SignatureRing.Capacity), 9UL << 40, 2, Meter(1), At(0), _sink);
        Assert.Equal(2, _sink.Findings.Count);
        var bytes = Bytes(ring.Write);
        var r = new ByteReader(bytes);
        var again = SignatureRing.Read(ref r);
        Assert.Equal(bytes, Bytes(again.Write));
        again.Note(Key(SignatureRing.Capacity + 1), 9UL << 40, 2, Meter(1), At(0), _sink);
        Assert.Equal(4, _sink.Findings.Count);
    }

    [Fact]
    public void Unknown_images_leave_in_order_and_releases_are_refused_not_forgotten()
    {
        var book = new ImageBook();
        static Release Release(int i) => new(Digest.Of(BitConverter.GetBytes(i)), At(0), FirmwarePart.Application,
            "ZX", $"r{i}", 1, 1, default, "");
        for (var i = 0; i < ImageBook.MaxReleases; i++)
        {
            Assert.True(book.HasRoomFor(Release(i)));
            book.Register(Release(i), Self, _sink);
        }
        Assert.False(book.HasRoomFor(Release(-1)));
        Assert.True(book.HasRoomFor(Release(7)));
        for (var i = 0; i < ImageBook.MaxUnknown + 50; i++)
            book.Note(Key(i), FirmwarePart.Application, "ZX", 7, false, Meter(i), At(i), Self, _sink);
        Assert.Equal((ImageBook.MaxReleases, ImageBook.MaxUnknown), (book.Releases, book.Unknown));
        Assert.Equal(ImageBook.MaxUnknown + 50, _sink.Findings.Count);
        book.Note(Release(3).Image.Short, FirmwarePart.Application, "ZX", 7, false, Meter(1), At(0), Self, _sink);
        Assert.Equal(ImageBook.MaxUnknown + 50, _sink.Findings.Count);
        var bytes = Bytes(book.Write);
        var r = new ByteReader(bytes);
        Assert.Equal(bytes, Bytes(ImageBook.Read(ref r).Write));
    }

    [Fact]
    public void One_unknown_image_on_very_many_meters_is_not_very_many_findings()
    {
        var book = new ImageBook();
        book.Learn(FirmwarePart.Application, "ZX", 1);
        for (var i = 0; i < 5_000; i++)
            book.Note(42, FirmwarePart.Application, "ZX", 7, false, Meter(i), At(i), Self, _sink);
        Assert.Equal(ImageBook.MaxStated + 1, _sink.Findings.Count);
        Assert.Equal(Self.Key, _sink.Findings[^1].Subject);
    }

    [Fact]
    public void Tools_campaigns_groups_and_switchings_stay_within_their_bounds()
    {
        var (tools, campaigns, groups, switching, storms) =
            (new ToolLedger(), new CampaignBook(), new GroupShares(), new SwitchWatch(), new StormWatch());
        for (var i = 0; i < 5_000; i++)
        {
            tools.Note(Key(i), $"t{i}", false, true, Meter(i), At(i), Self, _sink);
            tools.Note(1, "one", false, true, Meter(i), At(i), Self, _sink);
            campaigns.Note(Key(i % 100), $"c{i % 100}", CampaignState.Verified, 0, Meter(i), At(i));
            groups.Note((ulong)i, GroupKind.Plant, $"p{i}", 10, 0, 19_000);
            switching.Note(new Switching(At(i).Seconds, Meter(i), CommandKind.Disconnect, CommandOrigin.Local, true,
                ""));
            storms.Note((ulong)i, 2, At(i));
            storms.NoteFinding(FindingKind.Tamper, Meter(i), At(i));
        }
        for (var i = 0; i < 20_000; i++) campaigns.Note(1, "big", CampaignState.Updated, 0, Meter(i), At(9_000));
        Assert.Equal((ToolLedger.MaxTools, CampaignBook.MaxCampaigns, GroupShares.MaxGroups, SwitchWatch.MaxKept),
            (tools.Count, campaigns.Count, groups.Count, switching.Kept));
        storms.Judge(At(5_000), Self, _sink);
        switching.Judge(At(5_000), true, Self, _sink);
        campaigns.Judge(At(9 * 86_400), Self, _sink);
        // Who says much is stated when it has doubled, not each time.
        Assert.InRange(_sink.Findings.Count(f => f.Kind == FindingKind.ContractorSeries), 1, 10);
        Same(Bytes(tools.Write), static (ref ByteReader r) => ToolLedger.Read(ref r).Write);
        Same(Bytes(campaigns.Write), static (ref ByteReader r) => CampaignBook.Read(ref r).Write);
        Same(Bytes(groups.Write), static (ref ByteReader r) => GroupShares.Read(ref r).Write);
        Same(Bytes(switching.Write), static (ref ByteReader r) => SwitchWatch.Read(ref r).Write);
        Same(Bytes(storms.Write), static (ref ByteReader r) => StormWatch.Read(ref r).Write);
    }

    private delegate Action<ByteWriter> Reader(ref ByteReader r);

    private static void Same(byte[] bytes, Reader read)
    {
        var r = new ByteReader(bytes);
        Assert.Equal(bytes, Bytes(read(ref r)));
    }

    [Fact]
    public void A_sampled_set_counts_exactly_below_its_bound_and_closely_above()
    {
        var set = new SampledSet(1_024);
        for (var i = 0; i < 1_000; i++)
        {
            set.Add(Key(i));
            set.Add(Key(i));
        }
        Assert.Equal(1_000, set.Count);
        for (var i = 1_000; i < 100_000; i++) set.Add(Key(i));
        Assert.InRange(set.Count, 90_000, 110_000);
    }

    /// <summary>Figures of a partition as it is at 100,000 meters: printed, not judged.</summary>
    [Fact]
    public void Figures_of_a_partition_at_100_000_meters()
    {
        const int Meters = 100_000 / FleetPartition.Count, Days = 10;
        var before = GC.GetTotalMemory(true);
        var (keys, ring, book) = (new KeyHolders(), new SignatureRing(), new ImageBook());
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 2 * Meters; i++) keys.Note(Key(i), 16, Meter(i / 2), At(0), Self, _sink);
        for (var i = 0; i < Meters * Days; i++)
            ring.Note(Key(i), Key(i % Meters), 1, Meter(i % Meters), At(i), _sink);
        for (var i = 0; i < 2 * Meters; i++)
            book.Note(Key(i % 3), FirmwarePart.Application, "ZX", 7, true, Meter(i), At(i), Self, _sink);
        clock.Stop();
        var letters = 4 * Meters + Days * Meters;
        var held = GC.GetTotalMemory(true) - before;
        var state = Bytes(keys.Write).Length + Bytes(ring.Write).Length + Bytes(book.Write).Length;
        output.WriteLine($"{held / 1024} KiB in memory, {state / 1024} KiB of state, "
            + $"{clock.Elapsed.TotalNanoseconds / letters:0} ns a letter ({letters} letters, measured)");
        Assert.Empty(_sink.Findings);
        Assert.True(held < 4 << 20, $"A partition holds {held} bytes.");
        GC.KeepAlive((keys, ring, book));
    }
}
