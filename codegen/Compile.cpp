#include "codegen/Compile.h"
#include "codegen/Session.h"
#include "codegen/library/Descriptors.h"
#include "codegen/library/LibraryPlan.h"
#include "codegen/library/Object.h"
#include "codegen/library/Pipeline.h"
#include "codegen/library/RuntimeFiles.h"
#include "codegen/library/Writers.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "runtime/shape.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <chrono>

using namespace lut;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace {

/// Logs the seconds of each phase when it ends.
struct Phases {
  const std::function<void(const std::string &)> &log;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  void end(const llvm::Twine &phase) {
    auto now = std::chrono::steady_clock::now();
    if (log)
      log(llvm::formatv("{0,6:F2} s  {1}", std::chrono::duration<double>(now - start).count(), phase.str()));
    start = now;
  }
};

struct Member {
  std::string name;
  Bytes bytes;
};

} // namespace

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

static Expected<std::vector<const TargetRow *>> chooseTargets(const CompileOptions &options) {
  std::vector<const TargetRow *> targets;
  if (!options.cpu.empty()) {
    auto row = bestTargetFor(options.cpu, options.variants);
    if (!row)
      return row.takeError();
    return std::vector<const TargetRow *>{*row};
  }
  if (options.machine)
    return std::vector<const TargetRow *>{&*options.machine};
  for (const TargetRow &row : targetRows())
    if (!row.isMachine() &&
        (options.variants.empty() || llvm::is_contained(options.variants, row.name.str())))
      targets.push_back(&row);
  return targets;
}

//===----------------------------------------------------------------------===//
// Objects
//===----------------------------------------------------------------------===//

/// Keeps the IR after the pass that `--emit=mlir=<pass>` names, or after the last one.
struct MlirLister : mlir::PassInstrumentation {
  std::string wanted, file;
  Artifacts &artifacts;
  MlirLister(std::string wanted, std::string file, Artifacts &artifacts)
      : wanted(std::move(wanted)), file(std::move(file)), artifacts(artifacts) {}
  void runAfterPass(mlir::Pass *pass, mlir::Operation *op) override {
    if (pass->getArgument() != wanted)
      return;
    std::string text;
    llvm::raw_string_ostream(text) << *op << "\n";
    auto same = llvm::find_if(artifacts.listings, [&](auto &listing) { return listing.first == file; });
    if (same == artifacts.listings.end())
      artifacts.listings.push_back({file, text});
    else
      same->second = text; // a pass may run more than once: the last time counts
  }
};

static void listMlir(mlir::PassManager &pm, const LibrarySpec &library, const TargetRow &row,
                     const CompileOptions &options, Artifacts &artifacts) {
  if (!options.emitMlir)
    return;
  std::string wanted = options.emitMlirAfter.empty() ? "reconcile-unrealized-casts" : options.emitMlirAfter;
  pm.addInstrumentation(
      std::make_unique<MlirLister>(wanted, library.name + "." + row.name.str() + ".mlir", artifacts));
}

static bool listsMlir(const Artifacts &artifacts) {
  return llvm::any_of(artifacts.listings,
                      [](const auto &listing) { return llvm::StringRef(listing.first).ends_with(".mlir"); });
}

/// Runs the rest of the pipeline on the scheduled module of a target. What has a schedule has to compile: a
/// failure is a bug of ours, kept as a file that lut-opt runs.
static Error lower(LibraryPlan &plan, size_t target, const CompileOptions &options, Artifacts &artifacts) {
  mlir::ModuleOp module = *plan.modules[target];
  mlir::PassManager pm(module.getContext());
  buildLowerPipeline(pm);
  listMlir(pm, plan.library, *plan.targets[target], options, artifacts);
  llvm::SmallString<128> reproducer;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, reproducer);
  llvm::sys::path::append(reproducer,
                          "lutc-" + plan.library.name + "." + plan.targets[target]->name + ".mlir");
  pm.enableCrashReproducerGeneration(reproducer);
  if (failed(pm.run(module)))
    return llvm::make_error<InternalError>("lowering failed; reproducer: " + reproducer.str().str());
  return Error::success();
}

namespace {
/// One target's code on its way from LLVM IR to an object, apart from that of all others.
struct TargetCode {
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  bool addsPairs; // products of which a tree's leaves would not fit the registers
  std::vector<std::pair<std::string, std::string>> listings;
  Bytes bytes;

  Error generate(const std::string &stem, const CompileOptions &options);
};
} // namespace

Error TargetCode::generate(const std::string &stem, const CompileOptions &options) {
  optimize(*module, *machine);
  if (options.emitLlvmIr) {
    std::string text;
    llvm::raw_string_ostream out(text);
    module->print(out, nullptr);
    listings.push_back({stem + ".ll", text});
  }
  if (options.emitAssembly) {
    Bytes text;
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*module);
    if (Error error = emit(*copy, *machine, llvm::CodeGenFileType::AssemblyFile, text, addsPairs))
      return error;
    listings.push_back({stem + ".s", std::string(text.begin(), text.end())});
  }
  return emit(*module, *machine, llvm::CodeGenFileType::ObjectFile, bytes, addsPairs);
}

static Expected<TargetCode> translateTarget(LibraryPlan &plan, size_t target, const CompileOptions &options,
                                            Artifacts &artifacts) {
  if (Error error = lower(plan, target, options, artifacts))
    return std::move(error);
  if (options.emitMlir && !listsMlir(artifacts))
    return llvm::createStringError("no pass is called '" + options.emitMlirAfter + "'; see lutc list passes");
  auto machine = createTargetMachine(*plan.targets[target]);
  if (!machine)
    return machine.takeError();
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = translate(*plan.modules[target], *context, **machine);
  if (!module)
    return module.takeError();
  bool addsPairs = plan.targets[target]->dot == DotKind::pairs;
  return TargetCode{std::move(*machine), std::move(context), std::move(*module), addsPairs, {}, {}};
}

/// MLIR's context is shared by all targets, LLVM's code generation is not: it runs on all cores.
static Error compileTargets(LibraryPlan &plan, const CompileOptions &options, Artifacts &artifacts,
                            std::vector<Member> &members) {
  std::vector<TargetCode> codes;
  for (size_t target = 0; target < plan.targets.size(); ++target) {
    auto code = translateTarget(plan, target, options, artifacts);
    if (!code)
      return code.takeError();
    codes.push_back(std::move(*code));
  }
  auto nameOf = [&](size_t target, const char *separator) {
    return plan.library.name + separator + plan.targets[target]->name.str();
  };
  std::vector<std::string> problems(codes.size());
  {
    llvm::DefaultThreadPool pool(llvm::hardware_concurrency(codes.size()));
    for (size_t target = 0; target < codes.size(); ++target)
      pool.async([&, target] {
        if (Error error = codes[target].generate(nameOf(target, "."), options))
          problems[target] = toString(std::move(error));
      });
  }
  for (size_t target = 0; target < codes.size(); ++target) {
    if (!problems[target].empty())
      return llvm::createStringError(problems[target]);
    llvm::append_range(artifacts.listings, codes[target].listings);
    members.push_back({nameOf(target, "_") + ".o", std::move(codes[target].bytes)});
  }
  return Error::success();
}

static Expected<Member> compileDescriptors(const LibraryPlan &plan) {
  auto machine = createTargetMachine(*findTarget("x86_64"));
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = createDescriptors(plan, context);
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  Member member{plan.library.name + "_library.o", {}};
  if (Error error = emit(*module, **machine, llvm::CodeGenFileType::ObjectFile, member.bytes))
    return std::move(error);
  return member;
}

//===----------------------------------------------------------------------===//
// Archive
//===----------------------------------------------------------------------===//

/// Adds an archive's members as they are.
static Error addMembers(StringRef archive, std::vector<llvm::NewArchiveMember> &members) {
  auto parsed = llvm::object::Archive::create(llvm::MemoryBufferRef(archive, "runtime"));
  if (!parsed)
    return parsed.takeError();
  Error error = Error::success();
  for (const llvm::object::Archive::Child &child : (*parsed)->children(error)) {
    auto member = llvm::NewArchiveMember::getOldMember(child, /*Deterministic=*/true);
    if (!member)
      return llvm::joinErrors(std::move(error), member.takeError());
    members.push_back(std::move(*member));
  }
  return error;
}

/// The library's members, then the runtime's. Deterministic: no times, owners or paths.
static Expected<std::string> writeArchive(llvm::ArrayRef<Member> members, bool hasPrograms) {
  std::vector<llvm::NewArchiveMember> all;
  for (const Member &member : members)
    all.emplace_back(llvm::MemoryBufferRef(StringRef(member.bytes.data(), member.bytes.size()), member.name));
  if (Error error = addMembers(runtimeArchive(), all))
    return std::move(error);
  if (hasPrograms)
    if (Error error = addMembers(lmmaArchive(), all))
      return std::move(error);
  auto buffer =
      llvm::writeArchiveToBuffer(all, llvm::SymtabWritingMode::NormalSymtab, llvm::object::Archive::K_GNU,
                                 /*Deterministic=*/true, /*Thin=*/false);
  if (!buffer)
    return buffer.takeError();
  return (*buffer)->getBuffer().str();
}

//===----------------------------------------------------------------------===//
// Everything
//===----------------------------------------------------------------------===//

static void explainAll(mlir::MLIRContext &context, const LibraryPlan &plan) {
  for (size_t kernel = 0; kernel < plan.library.kernels.size(); ++kernel) {
    const KernelSpec &spec = plan.library.kernels[kernel];
    for (size_t target = 0; target < plan.targets.size(); ++target)
      mlir::emitRemark(locationOf(context, spec.position, spec.name))
          << spec.name << " on " << explain(plan, plan.product(kernel), target);
  }
}

char InternalError::ID;

llvm::Expected<Choices> lut::chooseKernels(const LibrarySpec &library, const CompileOptions &options) {
  auto targets = chooseTargets(options);
  if (!targets)
    return targets.takeError();
  Session session;
  auto plan = planLibrary(session.context, library, *targets);
  if (failed(plan))
    return llvm::createStringError("the kernels have no plan");
  Choices choices;
  for (const TargetRow *row : plan->targets)
    choices.targets.push_back(row->name.str());
  for (size_t kernel = 0; kernel < library.kernels.size(); ++kernel) {
    const Product &product = plan->product(kernel);
    auto &choice = choices.kernels.emplace_back();
    choice.numerics = stringifyNumerics(product.numerics).str();
    for (const ProductVariant &variant : product.variants) {
      StringRef strategy = stringifyStrategy(variant.geometry.strategy),
                layout = stringifyLayout(variant.geometry.layout);
      choice.strategies.push_back(strategy == layout ? strategy.str() : (strategy + " " + layout).str());
    }
  }
  return choices;
}

/// As lutc_make_kernel lays them out.
static Expected<std::vector<lutc_layout>> layoutsOf(const LibraryPlan &plan, size_t open,
                                                    const KernelSpec &kernel) {
  const Product &all = plan.product(open);
  const Product &product = all.few && kernel.n < LUTC_FEW_ROWS ? plan.products[all.few] : all;
  std::vector<lutc_layout> layouts;
  for (const ProductVariant &variant : product.variants) {
    const lutc_body body = variant.geometry.contract();
    if (!lutc_sums_fit(&body, uint64_t(kernel.k)))
      return llvm::createStringError(kernel.format.str() + " takes a k of at most " +
                                     llvm::Twine(body.most_k) + ", not " + llvm::Twine(kernel.k));
    lutc_shape shape;
    lutc_shape_of(&body, uint64_t(kernel.n), uint64_t(kernel.k), &shape);
    layouts.push_back(lutc_layout_of(&body, &shape));
  }
  return layouts;
}

llvm::Expected<std::vector<std::vector<lutc_layout>>> lut::chooseLayouts(llvm::ArrayRef<KernelSpec> kernels) {
  LibrarySpec open;
  std::vector<size_t> openOf;
  for (const KernelSpec &kernel : kernels) {
    auto isSame = [&](const KernelSpec &it) { return it.format.str() == kernel.format.str(); };
    openOf.push_back(size_t(llvm::find_if(open.kernels, isSame) - open.kernels.begin()));
    if (openOf.back() < open.kernels.size())
      continue;
    KernelSpec &added = open.kernels.emplace_back(kernel);
    added.name = kernel.format.str();
    added.n = added.k = 0;
  }
  Session session;
  auto plan = planLibrary(session.context, open, *chooseTargets({}));
  if (failed(plan))
    return llvm::createStringError("the kernels have no plan");
  std::vector<std::vector<lutc_layout>> all;
  for (auto [kernel, index] : llvm::zip(kernels, openOf)) {
    auto layouts = layoutsOf(*plan, index, kernel);
    if (!layouts)
      return layouts.takeError();
    all.push_back(std::move(*layouts));
  }
  return all;
}

llvm::Expected<ScheduleOptions> lut::scheduleOptions(const KernelSpec &kernel,
                                                     const CompileOptions &options) {
  auto targets = chooseTargets(options);
  if (!targets)
    return targets.takeError();
  Session session;
  const TargetRow &target = *targets->front();
  auto found = listCandidates(session.context, kernel, *symbolizeNumerics(kernel.numerics), target);
  if (failed(found) || found->empty())
    return llvm::createStringError("kernel '" + kernel.name + "' has no schedule");
  ScheduleOptions result{target.name.str(), {}};
  for (const Candidate &candidate : *found) {
    std::string schedule;
    llvm::raw_string_ostream(schedule) << candidate.schedule;
    result.options.push_back({productName(kernel), schedule});
  }
  return result;
}

Error lut::compileLibrary(const LibrarySpec &library, const CompileOptions &options, Artifacts &artifacts) {
  Phases phases{options.log};
  auto targets = chooseTargets(options);
  if (!targets)
    return targets.takeError();
  Session session;
  auto plan =
      planLibrary(session.context, library, *targets, [&](mlir::PassManager &pm, const TargetRow &row) {
        listMlir(pm, library, row, options, artifacts);
      });
  if (failed(plan))
    return llvm::createStringError("no library was written");
  if (options.explain)
    explainAll(session.context, *plan);
  phases.end("schedules");

  std::vector<Member> members;
  if (Error error = compileTargets(*plan, options, artifacts, members))
    return error;
  std::vector<size_t> codeBytes;
  std::string sizes;
  for (auto [row, member] : llvm::zip(plan->targets, members)) {
    codeBytes.push_back(member.bytes.size());
    sizes += llvm::formatv(", {0} {1} KiB", row->name, member.bytes.size() >> 10);
  }
  phases.end("code" + sizes);
  auto descriptors = compileDescriptors(*plan);
  if (!descriptors)
    return descriptors.takeError();
  members.push_back(std::move(*descriptors));
  auto archive = writeArchive(members, options.machine.has_value());
  if (!archive)
    return archive.takeError();
  artifacts.archive = std::move(*archive);
  artifacts.header = writeHeader(*plan, options.configHash);
  artifacts.manifest = writeManifest(*plan, options.configHash, codeBytes);
  phases.end("archive, header, manifest");
  return Error::success();
}
