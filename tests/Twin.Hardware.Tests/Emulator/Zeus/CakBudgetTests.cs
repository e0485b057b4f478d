using System.Reflection;
using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Zeus;

/// <summary>The kernel's stated memory is that of its fields, and within 8 KiB of flash log and 2 KiB of RAM.</summary>
public class CakBudgetTests
{
    [Fact]
    public void EveryFieldIsPaidFor()
    {
        const BindingFlags own = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public
            | BindingFlags.DeclaredOnly;
        var kernel = typeof(CakKernel).GetFields(own).ToDictionary(f => f.Name, f => Least(f.FieldType));
        Assert.Equal(CakBudget.Kernel.Select(k => k.Field).Order(), kernel.Keys.Order());
        foreach (var (field, bytes) in CakBudget.Kernel)
            Assert.True(bytes >= kernel[field], $"{field} is stated with {bytes} bytes and has {kernel[field]}.");

        // The log's layout is constant: captured by its constructor, in flash on the chip.
        string[] layout = ["flash", "pages", "magic", "headerBytes", "recordBytes", "tailBytes"];
        var log = typeof(FlashLog).GetFields(own).Where(f => !layout.Any(l => f.Name.Contains($"<{l}>"))).ToList();
        Assert.Equal(CakBudget.Log.Select(l => l.Field).Order(), log.Select(f => f.Name).Order());
        foreach (var (field, bytes) in CakBudget.Log)
            Assert.Equal(Least(log.Single(f => f.Name == field).FieldType), bytes);
    }

    [Fact]
    public void TheTotalIsWithinTheStatedMemory()
    {
        Assert.InRange(CakBudget.Total, 1000, CakBudget.RamBytes);
        Assert.Equal((8192, 8192), (CakBudget.FlashLogBytes, CakBudget.FlashSwapBytes));
        Assert.Equal(1, FlashMap.CakLog.Count - 1);
        var kernel = new CakKernel(new Flash(), new KeyVault());
        kernel.Start();
        var chain = CakKernel.HeaderBytes + (kernel.RoomWithReserve) * (CakEntry.Size + 8);
        Assert.InRange(chain, 7000, Flash.PageBytes - 192);
    }

    /// <summary>Bytes that a field needs at the least; arrays are stated with their content.</summary>
    private static int Least(Type type)
    {
        if (type.IsEnum) return Least(Enum.GetUnderlyingType(type));
        if (type.IsArray || !type.IsValueType) return CakBudget.PointerBytes;
        if (type == typeof(byte)) return 1;
        if (type == typeof(ushort)) return 2;
        if (type == typeof(uint) || type == typeof(int)) return 4;
        if (type == typeof(ulong) || type == typeof(long)) return 8;
        if (type == typeof(UInt128)) return 16;
        return type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
            .Sum(f => Least(f.FieldType));
    }
}
