using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Tests.Emulator.Zeus;

/// <summary>What a load profile tells, against what the metrology sealed.</summary>
public class PeriodSealTests
{
    private const int Lives = 24, Steps = 150;

    /// <summary>
    /// Cuts of any length (one interval, too, which leaves no gap between rows), clocks set forward and back, periods
    /// sent again, weeks without contact, crashes, a new unicast key, an honest upgrade.
    /// </summary>
    [Fact]
    public void Every_profile_of_an_honest_life_goes_with_its_seal()
    {
        var (profiles, rows) = (0, 0);
        for (var seed = 1ul; seed <= Lives; seed++)
        {
            var draw = SplitMix64.For(seed, "sealed life");
            var minutes = (int[])[15, 30, 60];
            var bench = new MeterBench(s => s with
            {
                IntervalMinutes = minutes[(int)(seed % 3)],
                PushMinutes = seed % 2 == 0 ? 240 : 1_440,
                IsDualBoard = seed % 4 == 0,
            });
            var meter = bench.Meter((int)seed, seed);
            var now = MeterBench.Start;
            for (var step = 0; step < Steps; step++)
            {
                now = Live(bench, meter, now, draw);
                if (draw.Next(4) != 0 || !meter.IsPowered) continue;
                var heard = bench.Take(meter, now);
                Assert.All(heard.Seals, v => Assert.True(v == SealVerdict.Holds, $"seed {seed}, step {step}: {v}"));
                (profiles, rows) = (profiles + heard.Seals.Count, rows + heard.Rows.Count);
            }
        }
        Assert.True(profiles > 500 && rows > 10_000, $"{profiles} profiles of {rows} rows test little");
    }

    private static UnixTime Live(MeterBench bench, ZeusMeter meter, UnixTime now, SplitMix64 draw)
    {
        var interval = bench.Spec.IntervalMinutes * 60L;
        switch (draw.Next(16))
        {
            case 0 or 1:
                meter.PowerCut(now);
                var dark = new UnixTime(now.Seconds + (draw.Next(2) == 0 ? interval : draw.Next(40_000)));
                meter.PowerOn(dark);
                now = new UnixTime((dark.Seconds + interval - 1) / interval * interval);
                break;
            case 2: bench.Send(meter, MeterCommands.SetClock(new UnixTime(now.Seconds + draw.Next(7_200))), now); break;
            case 3: bench.Send(meter, MeterCommands.SetClock(now), now); break;
            case 4 or 5:
                bench.Send(meter, MeterCommands.ResendFrom(new UnixTime(now.Seconds - draw.Next(200_000))), now);
                break;
            case 6: meter.CrashApplication(now); break;
            case 7: bench.Send(meter, MeterCommands.Reset(), now); break;
            case 8: meter.InstallImage(MeterBench.Application2, "campaign", "", now); break;
        }
        for (var i = 1 + draw.Next(draw.Next(20) == 0 ? 700 : 12); i > 0; i--)
        {
            now = new UnixTime(now.Seconds + interval);
            meter.Advance(now, new SupplyInterval(draw.Next(3) == 0 ? 0 : draw.Next(4_000), draw.Next(50)));
        }
        return now;
    }

    private static (ProfileRow[] Rows, byte[] Seal, ZeusMeter Meter, SealKeys Keys) Sealed()
    {
        var bench = new MeterBench();
        var meter = bench.Meter();
        MeterBench.Run(meter, MeterBench.Start, 5);
        var seal = meter.Metrology.SealPeriod(1, 5)!;
        var rows = new List<ProfileRow>();
        for (var seq = 1u; seq <= 5; seq++)
        {
            Assert.True(meter.Metrology.TryOpen(seq, out var record));
            record.AddTo(rows, 1_800);
        }
        return ([.. rows], seal.ToBytes(), meter, bench.Seals(meter));
    }

    [Fact]
    public void Any_other_row_number_key_or_meter_breaks_the_seal()
    {
        var (rows, seal, meter, keys) = Sealed();
        SealVerdict Judge(ProfileRow[] told, byte[] with, MeterId? of = null) => keys.Judge(of ?? meter.Id, told, with);
        Assert.Equal(6, rows.Length);
        Assert.Equal(SealVerdict.Holds, Judge(rows, seal));
        for (var i = 0; i < rows.Length; i++)
            foreach (var other in (ProfileRow[])[rows[i] with { End = new UnixTime(rows[i].End.Seconds + 1) },
                rows[i] with { ImportWattHours = rows[i].ImportWattHours + 1 }, rows[i] with { ExportWattHours = 1 }])
                Assert.Equal(SealVerdict.Broken, Judge([.. rows[..i], other, .. rows[(i + 1)..]], seal));
        Assert.Equal(SealVerdict.Broken, Judge(rows[1..], seal));
        Assert.Equal(SealVerdict.Broken, Judge([.. rows, rows[^1]], seal));
        for (var bit = 0; bit < seal.Length * 8; bit++)
        {
            var bent = seal.ToArray();
            bent[bit / 8] ^= (byte)(1 << bit % 8);
            // The top bit of a number is always set in the nonce.
            Assert.Equal(bit == 15 ? SealVerdict.Holds : SealVerdict.Broken, Judge(rows, bent));
        }
        Assert.Equal(SealVerdict.Broken, Judge(rows, seal[..^1]));
        Assert.Equal(SealVerdict.Missing, Judge(rows, []));
        Assert.Equal(SealVerdict.NoKey, Judge(rows, seal, new MeterId(7)));
        keys.Set(new MeterId(7), new byte[16]);
        Assert.Equal(SealVerdict.Broken, Judge(rows, seal, new MeterId(7)));
        keys.Set(meter.Id, new byte[16]);
        Assert.Equal(SealVerdict.Broken, Judge(rows, seal));
        Assert.Equal("metrology keys of 2 meters", keys.ToString());
        Assert.Throws<ArgumentException>(() => keys.Set(meter.Id, new byte[15]));
    }

    [Fact]
    public void A_status_may_be_added_to_and_every_sending_has_a_number_of_its_own()
    {
        var (rows, seal, meter, keys) = Sealed();
        ProfileRow[] marked = [.. rows.Select(r => r with { Status = ProfileStatus.ClockInvalid })];
        Assert.Equal(SealVerdict.Holds, keys.Judge(meter.Id, marked, seal));
        var again = meter.Metrology.SealPeriod(1, 5)!;
        Assert.True(PeriodSeal.TryRead(seal, meter.SystemTitle, out var first));
        Assert.Equal(first!.Number + 1, again.Number);
        Assert.NotEqual(first.Tag, again.Tag);
    }

    [Fact]
    public void A_profile_carries_its_seal_and_one_without_is_as_before()
    {
        var rows = (ProfileRow[])[new(MeterBench.Start, 0, 5, 0), new(new UnixTime(MeterBench.Start.Seconds + 900), 0,
            7, 0)];
        foreach (var seal in (byte[][])[[], [1, 2, 3], new byte[LoadProfilePush.MaxSealBytes]])
        {
            var w = new ByteWriter();
            LoadProfilePush.Write(w, "S", 900, 0, rows, seal);
            Assert.True(LoadProfilePush.TryRead(w.Written, out var push, out var error), error.Describe());
            Assert.Equal(seal, push.Seal.ToArray());
            var reader = push.GetRows();
            foreach (var row in rows)
            {
                Assert.True(reader.TryNext(out var read), reader.Error.Describe());
                Assert.Equal(row, read);
            }
        }
        Assert.Throws<ArgumentException>(() => LoadProfilePush.Write(new ByteWriter(), "S", 900, 0, [],
            new byte[LoadProfilePush.MaxSealBytes + 1]));
    }

    [Fact]
    public void No_message_replaces_the_metrology_key()
    {
        var vault = new KeyVault();
        vault.Load(KeySlot.Master, new byte[16]);
        vault.Load(KeySlot.MetrologySeal, new byte[16]);
        var wrapped = Twin.Hardware.Crypto.AesKeyWrap.Wrap(new byte[16], new byte[16]);
        Assert.False(vault.TryUnwrap(KeySlot.Master, wrapped, KeySlot.MetrologySeal));
        Assert.True(vault.TryUnwrap(KeySlot.Master, wrapped, KeySlot.EncryptionUnicast));
        vault.Zeroise();
        Assert.False(vault.Holds(KeySlot.MetrologySeal));
    }
}
