using FsCheck;
using FsCheck.Fluent;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Tests;

public class InputTests
{
    private static readonly MeterId Meter = new(0x8123456789ABCDEF);

    /// <summary>One of each kind, with the bytes that a journal written today holds.</summary>
    internal static readonly (Input Input, string Hex)[] Examples =
    [
        (new RegisterSnapshot(Meter, Channel.Export, new UnixTime(1_700_000_000), -123_456_789),
            "010201efcdab89674523810280c49fd50ca9b4de75"),
        (new DeviceEvent(Meter, new UnixTime(-1), "idis", "40", "größer"),
            "010301efcdab8967452381010469646973023430086772c3b6c39f6572"),
        (new MeterSeen(Meter, "X2", "Europe/London", 3),
            "012001efcdab89674523810258320d4575726f70652f4c6f6e646f6e03"),
        (new MeterRelation(Meter, "X2", MeterRole.Observer, "F1", "M", "1.2", "L7", "2020-01-01", "UP", "L1", "UTC",
            "C9", "north", CustomerCategory.Medical, 14_304, int.MaxValue),
            "012101efcdab896745238102583201024631014d03312e32024c370a323032302d30312d3031"
            + "025550024c3103555443024339056e6f72746803c0df01feffffff0f"),
        (new SupplyRecord(Meter, "X2", "acme", "p1", "L7", "s", "d", "i", "c", "2019-12-01"),
            "012201efcdab89674523810258320461636d65027031024c3701730164016901630a323031392d31322d3031"),
        (new ContextPeriod(new TwinKey(TwinKind.Feeder, 77), ContextKind.Outage, new UnixTime(60), new UnixTime(120),
            "storm"),
            "0123024d000000000000000178f0010573746f726d"),
        (new DayClosed(14_304), "0140010000000000000000c0df01"),
        (new Tick(new UnixTime(1_700_000_000)), "014105000000000000000080c49fd50c"),
        (new SourceEnded("edrp.csv"), "014205000000000000000008656472702e637376"),
        (new Erasure(Meter, 14_304, "request 12"), "016001efcdab8967452381c0df010a72657175657374203132"),
        (new JudgingVersion(1, "2025b"), "016105000000000000000001053230323562"),
        (new Verdict(Meter.Twin, new UnixTime(1_700_000_000), 0x0123456789ABCDEF, FindingKind.LevelShift,
            Outcome.Benign, "kim", "a car"),
            "016201efcdab896745238180c49fd50cefcdab89674523012002036b696d056120636172"),
        .. SecurityInputExamples.All,
        .. ActInputExamples.All,
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Examples.Length)];

    [Theory]
    [MemberData(nameof(Indices))]
    public void EveryKindRoundTripsAndKeepsItsBytes(int index)
    {
        var (input, hex) = Examples[index];
        var bytes = input.ToBytes();
        Assert.Equal(input, Input.Read(bytes));
        Assert.Equal(new Envelope(input.Kind, input.Target), Envelope.Read(bytes));
        Assert.NotEmpty(input.Describe());
        Golden.Is(hex, bytes);
    }

    /// <summary>A new input record must be added to the examples.</summary>
    [Fact]
    public void ExamplesCoverEveryRecord() => Assert.Equal(
        typeof(Input).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Input))).Select(t => t.Name).Order(),
        Examples.Select(e => e.Input.GetType().Name).Order());

    [Fact]
    public void AnyTextAndNumberRoundTrips() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(300),
        Prop.ForAll<UnicodeString, int, long>((text, number, value) =>
        {
            // Lone surrogates have no UTF-8: the encoder replaces them, so texts come from valid ones.
            var name = new string((text.Get ?? "").Where(c => !char.IsSurrogate(c)).ToArray());
            Input[] inputs =
            [
                new DeviceEvent(Meter, new UnixTime(number), name, name, ""),
                new RegisterSnapshot(Meter, Channel.Gas, new UnixTime(number), value),
                new SourceEnded(name), new JudgingVersion(number & int.MaxValue, name),
            ];
            foreach (var input in inputs) Assert.Equal(input, Input.Read(input.ToBytes()));
        }));

    [Fact]
    public void WhatFollowsAnInputIsRefused() =>
        Assert.Throws<InvalidDataException>(() => Input.Read([.. new DayClosed(1).ToBytes(), 0]));

    [Fact]
    public void AnotherAddresseeIsRefused()
    {
        var bytes = new DayClosed(1).ToBytes();
        bytes[2] = (byte)TwinKind.Fleet;
        Assert.Throws<InvalidDataException>(() => Input.Read(bytes));
    }

    [Fact]
    public void ANewerVersionIsNamedInTheError()
    {
        var bytes = new DayClosed(1).ToBytes();
        bytes[0] = 2;
        var error = Assert.Throws<InvalidDataException>(() => Input.Read(bytes));
        Assert.Contains("version 2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ffffffffffffffffff01", ulong.MaxValue)]
    [InlineData("00", 0UL)]
    [InlineData("7f", 127UL)]
    [InlineData("8001", 128UL)]
    public void VariableLengthIntegersHaveOneForm(string hex, ulong value)
    {
        var w = new ByteWriter();
        w.VarUInt(value);
        Assert.Equal(hex, Convert.ToHexStringLower(w.Written));
        Assert.Equal(value, new ByteReader(w.Written).VarUInt());
    }

    [Theory]
    [InlineData("8000")]
    [InlineData("ff00")]
    [InlineData("80")]
    [InlineData("ffffffffffffffffff02")]
    [InlineData("ffffffffffffffffffff01")]
    public void OtherFormsOfVariableLengthIntegersAreRefused(string hex) =>
        Assert.Throws<InvalidDataException>(() => new ByteReader(Convert.FromHexString(hex)).VarUInt());

    [Fact]
    public void TheEndsOfTheZigzagRangeRoundTrip()
    {
        foreach (var value in (long[])[0, -1, 1, long.MinValue, long.MaxValue])
        {
            var w = new ByteWriter();
            w.VarInt(value);
            Assert.Equal(value, new ByteReader(w.Written).VarInt());
        }
    }
}
