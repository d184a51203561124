/**
 * The operators that a model may use: those of ai.onnx (up to opset 23) and ai.onnx.ml, without
 * - Loop, Scan and SequenceMap, because a loop without an end hangs its process for ever;
 * - random ones, because a model must give the same answer twice;
 * - ImageDecoder, because decoders of untrusted images are a well-known way into a process.
 */
const AI_ONNX = `
  Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BitShift
  BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im Compress Concat
  ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DFT DeformConv DepthToSpace
  DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather
  GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample
  GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN
  LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool
  MaxRoiPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Neg NonMaxSuppression NonZero Not OneHot
  Optional OptionalGetElement OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN
  Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
  ReduceSumSquare RegexFullMatch Relu Reshape Resize ReverseSequence RoiAlign RotaryEmbedding Round STFT Scatter
  ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength Shape
  Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze
  StringConcat StringNormalizer StringSplit Sub Sum Swish Tan Tanh TensorScatter TfIdfVectorizer ThresholdedRelu Tile TopK
  Transpose Trilu Unique Unsqueeze Upsample Where Xor`;

const AI_ONNX_ML = `
  ArrayFeatureExtractor Binarizer CastMap CategoryMapper DictVectorizer FeatureVectorizer Imputer LabelEncoder LinearClassifier
  LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier
  TreeEnsembleRegressor ZipMap`;

const setOf = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/));

const CORE = setOf(AI_ONNX);

const ALLOWED = new Map([
  ['', CORE],
  ['ai.onnx', CORE],
  ['ai.onnx.ml', setOf(AI_ONNX_ML)],
]);

const REASONS = new Map([
  ...['Loop', 'Scan', 'SequenceMap'].map((name) => [name, 'it may never end; unroll it'] as const),
  ...['Bernoulli', 'Multinomial', 'RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike'].map((name) => [name, 'its answers are random'] as const),
  ['ImageDecoder', 'images are decoded by the client'] as const,
]);

/** Why an operator may not be used; undefined when it may. */
export const refusalOf = (domain: string, operator: string): string | undefined => {
  const operators = ALLOWED.get(domain);
  if (operators === undefined) return `its domain is "${domain}": only ai.onnx and ai.onnx.ml are allowed`;
  if (operators.has(operator)) return undefined;
  return REASONS.get(operator) ?? 'it is not an operator of ai.onnx or ai.onnx.ml that Perennial allows';
};
