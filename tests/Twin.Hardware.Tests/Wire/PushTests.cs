using Twin.Hardware.Coding;
using Twin.Hardware.Wire;
using Xunit.Abstractions;

namespace Twin.Hardware.Tests.Wire;

/// <summary>Load profiles back and forth, and the recorded pushes of Norwegian meters.</summary>
public class PushTests(ITestOutputHelper output)
{
    private static ProfileRow[] Rows(SplitMix64 random, int count, int period)
    {
        var rows = new ProfileRow[count];
        long end = 1_750_000_000 / period * (long)period, import = random.Next(1_000_000), export = 0;
        for (var i = 0; i < count; i++)
        {
            end += random.Next(10) == 0 ? 3L * period : period;
            import += random.Next(2) == 0 ? random.Next(5000) : uint.MaxValue / 8;
            export += random.Next(3);
            rows[i] = new ProfileRow(new UnixTime(end), (ProfileStatus)random.Next(256), import, export);
        }
        return rows;
    }

    [Theory]
    [InlineData(0, 1800, 0)]
    [InlineData(1, 900, 60)]
    [InlineData(48, 1800, -210)]
    [InlineData(LoadProfilePush.MaxRows, 1800, 120)]
    public void A_load_profile_comes_back(int count, int period, int zone)
    {
        var rows = Rows(new SplitMix64((ulong)count), count, period);
        var w = new ByteWriter();
        DataNotification.WriteHead(w, 7, CosemDateTime.FromUnixTime(new UnixTime(1_750_000_000), zone));
        LoadProfilePush.Write(w, "MT00000001", period, zone, rows);
        Assert.True(DataNotification.TryRead(w.Written, out var push, out var error), error.Describe());
        Assert.Equal(7u, push.LongInvokeId);
        Assert.True(LoadProfilePush.TryRead(push.Body, out var profile, out error), error.Describe());
        Assert.Equal(("MT00000001", period, count), (profile.Serial, profile.PeriodSeconds, profile.RowCount));
        var back = new List<ProfileRow>();
        var reader = profile.GetRows();
        while (reader.TryNext(out var row)) back.Add(row);
        Assert.False(reader.Error.IsError, reader.Error.Describe());
        Assert.Equal(rows, back);
    }

    [Fact]
    public void Rows_of_another_shape_are_told()
    {
        var w = new ByteWriter();
        LoadProfilePush.Write(w, "S", 900, 0, Rows(new SplitMix64(1), 3, 900));
        var body = w.ToArray();
        body[body.AsSpan().IndexOf((byte[])[2, 4, 9, 12])] = (byte)CosemTag.Array;
        Assert.True(LoadProfilePush.TryRead(body, out var push, out _));
        var reader = push.GetRows();
        Assert.False(reader.TryNext(out _));
        Assert.Equal(WireCode.WrongType, reader.Error.Code);
        Assert.InRange(reader.Error.Offset, 1, body.Length);
        Assert.False(LoadProfilePush.TryRead([2, 4, 9, 6, 1, 0, 99, 2, 0, 255, 0], out _, out var error));
        Assert.Equal(new WireError(WireCode.WrongType, 0), error);
    }

    private static (PushListKind Kind, List<PushValue> Values) Read(byte[] frame)
    {
        Assert.True(Hdlc.TryRead(frame, out var hdlc, out var error), error.Describe());
        Assert.True(Llc.TryRead(hdlc.Information, out var apdu, out _, out error), error.Describe());
        Assert.True(DataNotification.TryRead(apdu, out var push, out error), error.Describe());
        var values = new List<PushValue>();
        Assert.True(PushList.TryRead(push.Body, values, out var kind, out error), error.Describe());
        return (kind, values);
    }

    private static PushValue Of(List<PushValue> values, string name) => values.Single(v => v.Name.ToString() == name);

    /// <summary>
    /// Frames with a right check sequence, rejected candidates, and the lists in them. The second recording holds a
    /// stretch that the recorder damaged.
    /// </summary>
    [Theory]
    [InlineData("kaifa-20170912.txt", 611, "", "Kaifa/1 489, Kaifa/13 122")]
    [InlineData("kaifa-20170914.txt", 1533, "BadFlag HeaderCheck", "Kaifa/1 1227, Kaifa/13 305, Kaifa/18 1")]
    [InlineData("kaifa-samples.txt", 559, "", "Kaifa/1 447, Kaifa/13 112")]
    [InlineData("kamstrup-one.txt", 1, "", "Kamstrup/13 1")]
    public void Recorded_frames_are_all_accounted_for(string file, int frames, string rejects, string lists)
    {
        if (Telegrams.Folder is null)
        {
            output.WriteLine(Telegrams.Absent);
            return;
        }
        var stream = Telegrams.ReadHex(Path.Combine(Telegrams.Folder, "norway_han", file), out var others);
        var (found, rejected, noise) = Telegrams.Split(LinkKind.Hdlc, stream);
        var kinds = found.Select(Read).GroupBy(l => (l.Kind, l.Values.Count)).OrderBy(g => g.Key)
            .Select(g => $"{g.Key.Kind}/{g.Key.Count} {g.Count()}");
        output.WriteLine($"{file}: {found.Count} frames with a right FCS, {rejected.Count} rejected, {noise} bytes "
            + $"between frames, {others} lines of the recorder");
        foreach (var error in rejected) output.WriteLine(error.Describe());
        Assert.Equal(frames, found.Count);
        Assert.Equal(rejects, string.Join(' ', rejected.Select(r => r.Code)));
        Assert.Equal(lists, string.Join(", ", kinds));
    }

    [Fact]
    public void The_hourly_list_of_kaifa_has_registers_and_clock()
    {
        if (Telegrams.Folder is null)
        {
            output.WriteLine(Telegrams.Absent);
            return;
        }
        var stream = Telegrams.ReadHex(Path.Combine(Telegrams.Folder, "norway_han", "kaifa-20170914.txt"), out _);
        var (_, values) = Telegrams.Split(LinkKind.Hdlc, stream).Frames.Select(Read).Single(l => l.Values.Count == 18);
        Assert.Equal("6970631401753985", PushList.MeterText(values));
        Assert.Equal("2017-09-14 20:00:10", Of(values, "0.0.1.0.0.255").Time.ToString());
        var import = Of(values, "1.0.1.8.0.255");
        Assert.Equal(((byte)30, (sbyte)0, true), (import.Unit, import.Scaler, import.Value > 0));
        Assert.InRange(Of(values, "1.0.32.7.0.255").Scaled, 200, 250);
        Assert.Equal("MA304H3E", Of(values, "0.0.96.1.7.255").Text);
    }

    [Fact]
    public void The_list_of_kamstrup_has_names_and_its_own_scalers()
    {
        if (Telegrams.Folder is null)
        {
            output.WriteLine(Telegrams.Absent);
            return;
        }
        var stream = Telegrams.ReadHex(Path.Combine(Telegrams.Folder, "norway_han", "kamstrup-one.txt"), out _);
        var (kind, values) = Read(Telegrams.Split(LinkKind.Hdlc, stream).Frames.Single());
        Assert.Equal(PushListKind.Kamstrup, kind);
        Assert.Equal("5706567274389702", PushList.MeterText(values));
        Assert.Equal((3815L, (byte)27), (Of(values, "1.1.1.7.0.255").Value, Of(values, "1.1.1.7.0.255").Unit));
        Assert.Equal(13.69, Of(values, "1.1.31.7.0.255").Scaled, 9);
        Assert.Equal(225, Of(values, "1.1.32.7.0.255").Scaled);
    }

    [Theory]
    [InlineData(null, 1234, 255)]
    [InlineData((sbyte)0, 1234, 30)]
    [InlineData((sbyte)1, 12340, 30)]
    public void Energies_of_kamstrup_have_a_unit_only_when_it_is_told(sbyte? scaler, double scaled, byte unit)
    {
        var to = new ByteWriter();
        var w = new CosemWriter(to);
        w.Structure(3);
        w.VisibleString("Kamstrup_V0001");
        w.LogicalName(new Obis(1, 1, 1, 8, 0));
        w.DoubleLongUnsigned(1234);
        var values = new List<PushValue>();
        Assert.True(PushList.TryRead(to.Written, values, out var kind, out _, scaler));
        Assert.Equal((PushListKind.Kamstrup, "Kamstrup_V0001"), (kind, values[0].Text));
        Assert.Equal((scaled, unit), (values[1].Scaled, values[1].Unit));
    }

    [Fact]
    public void The_list_of_aidon_has_scalers_and_units()
    {
        if (Telegrams.Folder is null)
        {
            output.WriteLine(Telegrams.Absent);
            return;
        }
        var stream = Telegrams.ReadHex(Telegrams.Dump("hdlc_norway_han_1phase.log"), out _);
        var (kind, values) = Read(Telegrams.Split(LinkKind.Hdlc, stream).Frames.Single());
        Assert.Equal((PushListKind.Aidon, 9), (kind, values.Count));
        Assert.Equal("7359992890941742", PushList.MeterText(values));
        Assert.Equal(9.3, Of(values, "1.0.31.7.0.255").Scaled, 9);
        Assert.Equal((250.0, (byte)35), (Of(values, "1.0.32.7.0.255").Scaled, Of(values, "1.0.32.7.0.255").Unit));
    }

    [Theory]
    [InlineData("0600000001", WireCode.WrongType)]
    [InlineData("0202" + "0600000001" + "0600000001", WireCode.Unsupported)]
    [InlineData("0201" + "0905" + "3132333435", WireCode.WrongType)]
    [InlineData("0200", WireCode.Unsupported)]
    [InlineData("0201" + "0A02" + "C328", WireCode.WrongType)]
    [InlineData("0101" + "0202" + "0906" + "0100010700FF", WireCode.Truncated)]
    public void Other_lists_are_refused(string hex, WireCode expected)
    {
        Assert.False(PushList.TryRead(Telegrams.Hex(hex), [], out _, out var error));
        Assert.Equal(expected, error.Code);
    }
}
