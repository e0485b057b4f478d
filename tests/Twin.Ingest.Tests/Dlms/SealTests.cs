using System.Buffers.Binary;
using System.Security.Cryptography;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;
using Twin.Ingest.Dlms;

namespace Twin.Ingest.Tests.Dlms;

/// <summary>Load profiles in authenticated frames, held against the seal of the meter's metrology.</summary>
public sealed class SealTests
{
    private static readonly UnixTime Received = new(Frames.Noon.Seconds + 5);
    private static readonly byte[] Metrology = [.. Enumerable.Range(201, 16).Select(static i => (byte)i)];

    private static readonly ProfileRow[] Rows =
    [
        new(new UnixTime(Frames.Noon.Seconds - 3600), 0, 1000, 7),
        new(new UnixTime(Frames.Noon.Seconds - 1800), 0, 1010, 7),
        new(Frames.Noon, ProfileStatus.PowerDown, 1030, 8),
    ];

    private static SealKeys Keys()
    {
        var seals = new SealKeys();
        seals.Set(Frames.Meter, Metrology);
        return seals;
    }

    private static FrameIntake Intake(SealKeys? seals) => new(Frames.Keys(), new HashSet<MeterId> { Frames.Meter },
        seals);

    /// <summary>The seal by its description, not by the code under test.</summary>
    private static byte[] Seal(ReadOnlySpan<ProfileRow> rows, uint number = 5, uint firstSeq = 40)
    {
        byte[] nonce = new byte[12], seal = new byte[23], aad = new byte[9 + 24 * rows.Length];
        BinaryPrimitives.WriteUInt64BigEndian(nonce, Frames.Title);
        BinaryPrimitives.WriteUInt32BigEndian(nonce.AsSpan(8), number | 0x8000_0000);
        (seal[0], aad[0], aad[1]) = (2, 0x10, 2);
        BinaryPrimitives.WriteUInt32BigEndian(seal.AsSpan(1), number);
        BinaryPrimitives.WriteUInt32BigEndian(seal.AsSpan(5), firstSeq);
        BinaryPrimitives.WriteUInt16BigEndian(seal.AsSpan(9), (ushort)rows.Length);
        seal.AsSpan(9, 2).CopyTo(aad.AsSpan(3));
        seal.AsSpan(5, 4).CopyTo(aad.AsSpan(5));
        for (var i = 0; i < rows.Length; i++)
        {
            BinaryPrimitives.WriteInt64BigEndian(aad.AsSpan(9 + 24 * i), rows[i].End.Seconds);
            BinaryPrimitives.WriteInt64BigEndian(aad.AsSpan(17 + 24 * i), rows[i].ImportWattHours);
            BinaryPrimitives.WriteInt64BigEndian(aad.AsSpan(25 + 24 * i), rows[i].ExportWattHours);
        }
        using var gcm = new AesGcm(Metrology, 12);
        gcm.Encrypt(nonce, [], [], seal.AsSpan(11), aad);
        return seal;
    }

    private static byte[] Frame(ProfileRow[] told, byte[] seal, uint counter = 9)
    {
        var w = new ByteWriter();
        LoadProfilePush.Write(w, "SN1", 1800, 0, told, seal);
        return Frames.Wrapped(Frames.Ciphered(Frames.Notification(w.Written), counter));
    }

    private static (FrameResult Result, RecordingSink Sink) Take(FrameIntake intake, byte[] frame)
    {
        var sink = new RecordingSink();
        return (intake.Take(new FrameChannel("test", null, null), LinkKind.Wrapper, frame, Received, sink), sink);
    }

    private static string Heard(byte[] frame, FrameService service) => $"{Frames.Name} 2026-01-02T12:00:00Z frame "
        + $"FromMeter key EncryptionUnicast counter 9, {frame.Length - TcpWrapper.HeaderBytes} bytes, {service}";

    private static readonly string[] Content =
    [
        $"{Frames.Name} Import 30 2026-01-02T11:00:00Z 10,20", $"{Frames.Name} Export 30 2026-01-02T11:00:00Z 0,1",
        $"{Frames.Name} Import register 2026-01-02T12:00:00Z 1030",
        $"{Frames.Name} Export register 2026-01-02T12:00:00Z 8",
    ];

    [Fact]
    public void A_seal_that_holds_costs_no_input_of_its_own()
    {
        var frame = Frame(Rows, Seal(Rows));
        var (result, sink) = Take(Intake(Keys()), frame);
        Assert.Equal(FrameResult.Valid(), result);
        Assert.Equal([Heard(frame, FrameService.SealedProfile), .. Content], sink.Lines);
    }

    [Fact]
    public void A_profile_without_a_seal_says_so_where_the_key_is_known()
    {
        var frame = Frame(Rows, []);
        Assert.Equal([Heard(frame, FrameService.UnsealedProfile), .. Content], Take(Intake(Keys()), frame).Sink.Lines);
        var other = new SealKeys();
        other.Set(new MeterId(3), Metrology);
        foreach (var seals in (SealKeys?[])[null, other])
            Assert.Equal([Heard(frame, FrameService.DataNotification), .. Content],
                Take(Intake(seals), frame).Sink.Lines);
        // Without the key a seal says nothing, whatever it is.
        var bent = Frame(Rows, [1, 2, 3]);
        Assert.Equal([Heard(bent, FrameService.DataNotification), .. Content], Take(Intake(null), bent).Sink.Lines);
    }

    public static TheoryData<string> Lies => ["register", "energy", "time", "row left out", "row added",
        "seal of another period", "no seal at all"];

    [Theory, MemberData(nameof(Lies))]
    public void Told_otherwise_than_sealed_the_readings_stay_as_suspect_and_a_fault_follows(string lie)
    {
        ProfileRow[] told = lie switch
        {
            "register" => [.. Rows.Select(static r => r with { ImportWattHours = r.ImportWattHours + 1 })],
            "energy" => [Rows[0], Rows[1] with { ImportWattHours = 1005 }, Rows[2] with { ImportWattHours = 1015 }],
            "time" => [.. Rows.Select(static r => r with { End = new UnixTime(r.End.Seconds - 1800) })],
            "row left out" => Rows[1..],
            "row added" => [.. Rows, new(new UnixTime(Frames.Noon.Seconds + 1800), 0, 1030, 8)],
            _ => Rows,
        };
        var seal = lie switch
        {
            "seal of another period" => Seal(Rows.AsSpan(1)),
            "no seal at all" => "no seal"u8.ToArray(),
            _ => Seal(Rows),
        };
        var frame = Frame(told, seal);
        var (result, sink) = Take(Intake(Keys()), frame);
        Assert.True(result.IsValid);
        Assert.Equal([InputKind.FrameReceived, InputKind.FrameFault], sink.Inputs.Select(static i => i.Kind));
        Assert.Equal(FrameService.DataNotification, ((FrameReceived)sink.Inputs[0]).Service);
        var fault = (FrameFault)sink.Inputs[1];
        Assert.Equal((Frames.Meter.Twin, Frames.Noon, FrameFaultKind.SealBroken, "test"),
            (fault.Subject, fault.At, fault.Fault, fault.Where));
        Assert.Equal(((FrameReceived)sink.Inputs[0]).BytesDigest, fault.BytesDigest);
        Assert.Equal($"the seal of the metrology does not hold over {told.Length} rows from {told[0].End} to "
            + $"{told[^1].End}", fault.Reason);
        Assert.Equal(fault, Input.Read(fault.ToBytes()));
        var readings = sink.Lines[1..^1];
        Assert.NotEmpty(readings);
        Assert.All(readings, static line => Assert.Matches(" (Import|Export) 30 .* Suspect(,Suspect)*$", line));
        Assert.Contains("frame fault SealBroken", sink.Lines[^1]);
    }

    [Fact]
    public void The_key_file_holds_the_metrology_key_apart_from_those_of_frames()
    {
        using var file = new KeyFile();
        file.Set(Frames.Name, KeySlot.MetrologySeal, Metrology);
        Assert.Empty(file.Meters());
        using (var frames = file.ToFrameKeys()) Assert.Equal(0, frames.Count);
        file.Set(Frames.Name, KeySlot.EncryptionUnicast, new byte[32]);
        file.Set(Frames.Name, KeySlot.Authentication, new byte[32]);
        using (var frames = file.ToFrameKeys()) Assert.Equal(1, frames.Count);
        using var seals = file.ToSealKeys();
        Assert.Equal(1, seals.Count);
        Assert.Equal(SealVerdict.Holds, seals.Judge(Frames.Meter, Rows, Seal(Rows)));
        Assert.Contains("metrology_seal", Assert.Throws<KeyFileException>(() =>
            file.Set("m", KeySlot.OpticalPort, Metrology)).Message);
    }

    [Fact]
    public void Mutated_seals_never_throw_and_never_hold()
    {
        var random = new SplitMix64(20260111);
        using var keys = Keys();
        var seal = Seal(Rows);
        for (var i = 0; i < 20_000; i++)
        {
            var bent = seal.ToArray();
            var at = random.Next(seal.Length);
            bent[at] ^= (byte)(1 + random.Next(255));
            if (random.Next(4) == 0) bent = bent[..random.Next(bent.Length)];
            var verdict = keys.Judge(Frames.Meter, Rows, bent);
            // The top bit of the number is set in the nonce anyway.
            if (bent.Length > 1) bent[1] &= 0x7F;
            var expected = bent.Length == 0 ? SealVerdict.Missing
                : bent.AsSpan().SequenceEqual(seal) ? SealVerdict.Holds : SealVerdict.Broken;
            Assert.True(expected == verdict, $"seed 20260111, seal {i}: {verdict} for {Convert.ToHexString(bent)}");
        }
    }
}
